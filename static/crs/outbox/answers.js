// What the answer to a save means, or that there was none.

import { isAnswered } from "../request_id.js";

// A server that knows that it stored nothing says so.
export const saysNotStored = (xhr) => xhr.status >= 500 && xhr.getResponseHeader("CRS-Stored") === "no";

// What the server has not answered: no connection, a proxy that does not reach it, its database away, or a page from
// elsewhere. An answer that nothing was stored, and a fault of the server, leave what was saved in its form.
export const isUnreachable = (xhr) =>
  !isAnswered(xhr) || [200, 502, 504].includes(xhr.status) || (xhr.status === 503 && !saysNotStored(xhr));
