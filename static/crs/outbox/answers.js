// What an answer means: to a save, or that the server was not reached.

import { isAnswered } from "../request_id.js";

// Of a proxy that does not reach the server, or of a server whose database is away.
export const NOT_REACHED = [502, 503, 504];

// A server that knows that it stored nothing says so.
export const saysNotStored = (xhr) => xhr.status >= 500 && xhr.getResponseHeader("CRS-Stored") === "no";

// What the server has not answered: no connection, a proxy that does not reach it, its database away, or a page from
// elsewhere. An answer that nothing was stored, and a fault of the server, leave what was saved in its form.
export const isUnreachable = (xhr) =>
  !isAnswered(xhr) || [200, 502, 504].includes(xhr.status) || (xhr.status === 503 && !saysNotStored(xhr));
