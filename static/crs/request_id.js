// The id of a request, which the log of the server has too: a user who calls the help desk can name it. Each answer of
// the server has one. A page of the hospital's network (its sign-in, a filter) or of a proxy has none.

const HEADER = "X-Request-ID";

const inWords = (id) => (id ? `Request ${id}.` : "");

export const requestWords = (xhr) => inWords(xhr?.status ? xhr.getResponseHeader(HEADER) : null);

// The same of an answer to fetch().
export const requestWordsOf = ({ headers }) => inWords(headers.get(HEADER));

// Whether the server itself has answered.
export const isAnswered = (xhr) => Boolean(xhr?.status) && xhr.getResponseHeader(HEADER) !== null;

// The same of an answer to fetch().
export const isAnsweredBy = ({ headers }) => headers.has(HEADER);
