// Stores an entry on the tablet before it is sent: a page that dies right after the tap has it then, and sends it
// again when it is opened next.

const WAITS_AT_MOST = 250; // a browser whose storage hangs must not stop a save

// Lets the request go once `isStored` has resolved. Call it before htmx sends `xhr`.
export const sendOnceStored = (xhr, isStored) => {
  const send = xhr.send.bind(xhr);
  const waited = new Promise((resolve) => setTimeout(resolve, WAITS_AT_MOST));
  xhr.send = (body) => {
    Promise.race([isStored, waited]).catch(() => {}).then(() => send(body));
  };
};
