// Why a tap in the panel of guidance or in a row of buttons was not saved.

const WHY = {
  0: "There is no connection.",
  401: "You have been signed out: sign in again.",
  403: "Not allowed, or your sign-in has changed. Reload the page.",
};

// Returns the sentence for a status; 0 is no answer.
export const whyFailed = (status) => WHY[status] ?? "The server could not save it.";
