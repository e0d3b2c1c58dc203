// Figures as a person reads them.

/** Months as years and months: 124.3 is "10 y 4 m". */
export function shortAge(months) {
  const whole = Math.round(months);
  return `${Math.floor(whole / 12)} y ${whole % 12} m`;
}

export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
