// Mouse, pen and fingers on the stage: one draws, or moves the picture; two fingers move and zoom it.

const WHEEL_STEP = 0.0015;
const PINCH_WHEEL_STEP = 0.01; // a trackpad's pinch comes as a wheel with small steps and Ctrl
const LINE_PX = 33; // a wheel that counts lines, not pixels
const ERASER_BUTTON = 32; // of `buttons`: the far end of a pen

export class Pointers {
  spaceHeld = false;
  #down = new Map(); // the last event of each pointer that is down
  #gesture = null; // "draw", "move" or "pinch"
  #penSeen = false;

  /** `desk` has the tool (null if the picture is to be moved), the view, and `changed()`. */
  constructor(stage, desk) {
    this.stage = stage;
    this.desk = desk;
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#release(event, false));
    stage.addEventListener("pointercancel", (event) => this.#release(event, true));
    stage.addEventListener("pointerleave", () => this.#hover(null));
    stage.addEventListener("dblclick", () => this.desk.finish());
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  get isDown() {
    return this.#down.size > 0;
  }

  #press(event) {
    event.preventDefault();
    if (!this.desk.drawing || !this.#joins(event)) return;
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.#penSeen ||= event.pointerType === "pen";
    this.#down.set(event.pointerId, event);
    if (this.#down.size > 1) this.#pinch();
    else this.#begin(event);
    this.desk.changed();
  }

  /** Only fingers come together; a pen takes over from the palm beside it, and shuts it out while it is down. */
  #joins(event) {
    if (event.pointerType === "pen") this.#letGo();
    return [event, ...this.#down.values()].every(({ pointerType }) => pointerType === "touch") || !this.isDown;
  }

  #letGo() {
    if (this.#gesture === "draw") this.desk.tool.cancel();
    this.#gesture = null;
    this.#down.clear();
  }

  #begin(event) {
    const palm = this.#penSeen && event.pointerType === "touch";
    const drawing = !palm && !this.spaceHeld && this.desk.tool && (event.button === 0 || isEraser(event));
    this.#gesture = drawing ? "draw" : "move";
    if (drawing) this.desk.tool.down(this.#point(event), this.#hand(event));
  }

  #pinch() {
    if (this.#gesture === "draw") this.desk.tool.cancel();
    this.#gesture = "pinch";
  }

  #move(event) {
    const before = this.#down.get(event.pointerId);
    if (!before) {
      this.#hover(event.pointerType === "touch" ? null : this.#point(event));
      return;
    }
    if (this.#gesture === "draw") this.#draw(event);
    else if (this.#gesture === "move") this.desk.view.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    else this.#spread(before, event);
    this.#down.set(event.pointerId, event);
    this.desk.changed();
  }

  #draw(event) {
    const passed = event.getCoalescedEvents();
    this.desk.tool.move((passed.length ? passed : [event]).map((each) => this.#point(each)), this.#hand(event));
  }

  /** One of two fingers has moved: half its way moves the picture, the change of their distance zooms it. */
  #spread(before, event) {
    const other = [...this.#down.values()].find((each) => each.pointerId !== event.pointerId);
    if (!other) return;
    const apart = (each) => Math.max(1, Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY));
    const { view } = this.desk;
    view.pan((event.clientX - before.clientX) / 2, (event.clientY - before.clientY) / 2);
    const middle = this.#place({
      clientX: (event.clientX + other.clientX) / 2,
      clientY: (event.clientY + other.clientY) / 2,
    });
    view.zoom(apart(event) / apart(before), middle.x, middle.y);
  }

  #release(event, broken) {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#gesture === "draw") {
      if (broken) this.desk.tool.cancel();
      else this.desk.tool.up(this.#hand(event));
    }
    // the finger that stays after a pinch moves the picture on, it does not draw
    this.#gesture = this.#down.size ? "move" : null;
    if (event.pointerType === "touch") this.#hover(null);
    this.desk.changed();
  }

  #hover(point) {
    this.desk.tool?.hover(point);
    this.desk.changed();
  }

  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * LINE_PX : event.deltaY;
    const { x, y } = this.#place(event);
    this.desk.view.zoom(Math.exp(-pixels * (event.ctrlKey ? PINCH_WHEEL_STEP : WHEEL_STEP)), x, y);
    this.desk.changed();
  }

  #place(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #point(event) {
    return this.desk.view.toImage(this.#place(event));
  }

  #hand(event) {
    return { kind: event.pointerType || "mouse", scale: this.desk.view.scale, eraser: isEraser(event) };
  }
}

function isEraser(event) {
  return (event.buttons & ERASER_BUTTON) !== 0;
}
