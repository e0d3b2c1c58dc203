// Figures as a person reads them.

/** Months as years and months: 124.3 is "10 years 4 months". */
export function ageInWords(months) {
  const whole = Math.round(months);
  return `${counted(Math.floor(whole / 12), "year")} ${counted(whole % 12, "month")}`;
}

export function shortAge(months) {
  const whole = Math.round(months);
  return `${Math.floor(whole / 12)} y ${whole % 12} m`;
}

export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}

function counted(count, unit) {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
