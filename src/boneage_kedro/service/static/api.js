// The interface of the service.

import { requests } from "./shared/requests.js";

const ask = requests("The service does not answer. See that it still runs, then try again.");

/** Read the bone age of a file; `months` is the chronological age, or undefined. */
export async function assess(file, sex, months) {
  const { most_bytes: most } = await (await ask("health")).json();
  if (file.size > most) throw new Error(`The file is larger than ${most / 2 ** 20} MiB, the limit of this service.`);
  const form = new FormData();
  form.append("file", file);
  form.append("sex", sex);
  if (months !== undefined) form.append("chronological_age_months", months);
  return (await ask("assess", { method: "POST", body: form })).json();
}
