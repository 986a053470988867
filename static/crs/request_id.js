// The id of a request, which the log of the server has too: a user who calls the help desk can name it.

const HEADER = "X-Request-ID";

const inWords = (id) => (id ? `Request ${id}.` : "");

export const requestWords = (xhr) => inWords(xhr?.status ? xhr.getResponseHeader(HEADER) : null);

// The same of an answer to fetch().
export const requestWordsOf = ({ headers }) => inWords(headers.get(HEADER));
