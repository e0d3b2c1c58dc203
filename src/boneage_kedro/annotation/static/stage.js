// The two canvases of the stage: the radiograph below, the mask and the tools above. Drawn once a frame at most.

export class Stage {
  #picture = document.getElementById("picture");
  #overlay = document.getElementById("overlay");
  #due = false;
  #pictureAt = ""; // what the lower canvas shows, so that drawing a mask does not draw the radiograph again

  /** `desk` has the picture, the overlay, the tools and the view; `settings` say how to show them. */
  constructor(element, desk, settings) {
    this.desk = desk;
    this.settings = settings;
    this.element = element;
    new ResizeObserver(() => this.#resize()).observe(element);
  }

  /** Draw soon. */
  refresh() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    for (const canvas of [this.#picture, this.#overlay]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    this.#pictureAt = "";
    this.desk.view.resize(width, height);
    this.#draw(); // at once: a canvas of another size is blank
  }

  #draw() {
    this.#drawPicture();
    this.#drawOverlay();
  }

  #drawPicture() {
    const { picture, view } = this.desk;
    const at = `${picture && this.desk.id} ${view.scale} ${view.x} ${view.y}`;
    const gain = (name) => 4 ** (this.settings.get(name) / 100);
    this.#picture.style.filter = `brightness(${gain("brightness")}) contrast(${gain("contrast")})`;
    if (this.#pictureAt === at) return;
    this.#pictureAt = at;
    const context = this.#cleared(this.#picture);
    if (!picture) return;
    context.imageSmoothingEnabled = view.scale < 4; // near enough, one sees the pixels that one sets
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0);
  }

  #drawOverlay() {
    const { overlay, tools, view } = this.desk;
    const context = this.#cleared(this.#overlay);
    if (overlay && this.settings.get("overlay")) overlay.draw(context, view.scale, this.settings.get("fill") / 100);
    for (const tool of tools) tool.draw(context, view.scale);
  }

  /** The context of a canvas, blank and set to image coordinates. */
  #cleared(canvas) {
    const context = canvas.getContext("2d");
    const { scale, x, y } = this.desk.view;
    context.resetTransform();
    context.clearRect(0, 0, canvas.width, canvas.height);
    const ratio = devicePixelRatio;
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    return context;
  }
}
