// The id of a request, which the log of the server has too: who calls the help desk can name it.

const HEADER = "X-Request-ID";

export const requestWords = (xhr) => {
  const id = xhr?.status ? xhr.getResponseHeader(HEADER) : null;
  return id ? `Request ${id}.` : "";
};
