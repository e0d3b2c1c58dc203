// Requests to the server; whatever goes wrong becomes an Error whose message a person can use.

/** A `fetch` that fails with what the server says, or with the given sentence if it does not answer. */
export function requests(unreachable) {
  return async (path, options = {}) => {
    let response;
    try {
      response = await fetch(path, { cache: "no-store", ...options });
    } catch {
      throw new Error(unreachable);
    }
    if (!response.ok) throw new Error(await reason(response));
    return response;
  };
}

async function reason(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server failed (${response.status} ${response.statusText}); its terminal says why.`;
  }
}
