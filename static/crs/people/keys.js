// Passkeys and security keys: asks the device of the user, and sends its answer in a form.

const isAddress = /^[\d.]+$|:/u.test(location.hostname); // a key belongs to a name
const arePossible = Boolean(window.PublicKeyCredential && navigator.credentials) && !isAddress;

const bytesOf = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/u, "");

const withBytes = (keys) => keys?.map((key) => ({ ...key, id: bytesOf(key.id) }));

const create = async ({ publicKey }) => {
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      user: { ...publicKey.user, id: bytesOf(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
  return {
    id: made.id,
    rawId: textOf(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: textOf(made.response.clientDataJSON),
      attestationObject: textOf(made.response.attestationObject),
    },
    clientExtensionResults: made.getClientExtensionResults(),
  };
};

const get = async ({ publicKey }) => {
  const signed = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
  const { authenticatorData, clientDataJSON, signature, userHandle } = signed.response;
  return {
    id: signed.id,
    rawId: textOf(signed.rawId),
    type: signed.type,
    response: {
      authenticatorData: textOf(authenticatorData),
      clientDataJSON: textOf(clientDataJSON),
      signature: textOf(signature),
      userHandle: userHandle && textOf(userHandle),
    },
    clientExtensionResults: {},
  };
};

// Asks the server for a challenge, by the form's own token.
const asked = async (form, values) => {
  const body = new URLSearchParams(values);
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const answer = await fetch(form.getAttribute("action") ?? location.pathname, {
    method: "POST",
    headers: { Accept: "application/json" },
    body,
    redirect: "error",
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

const sentence = ({ name }) =>
  ({
    NotAllowedError: "Nothing was confirmed on the device, or it took too long. Try again.",
    InvalidStateError: "This device holds a key of yours already.",
    SecurityError: "This address cannot use passkeys. Open the site by its name.",
  })[name] ?? "That did not work. Open the page again, and try once more.";

// Runs an act of the device, and sends its answer; where it fails, says why.
const run = async (form, button, act) => {
  const wrong = form.querySelector("[data-key-wrong]");
  wrong.hidden = true;
  button.disabled = true;
  try {
    form.elements.credential.value = JSON.stringify(await act());
    form.submit();
  } catch (error) {
    wrong.textContent = sentence(error);
    wrong.hidden = false;
    button.disabled = false;
  }
};

const watchNewKey = (form) => {
  form.querySelector("[data-key-impossible]").hidden = true;
  const buttons = [...form.querySelectorAll("[data-new-key]")];
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const { name } = form.elements;
      if (!name.value.trim()) {
        name.focus();
        name.reportValidity();
        return;
      }
      run(form, button, async () => create(await asked(form, { ask: button.dataset.newKey })));
    });
  }
  // Enter in the field of the name does what the first button does.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    buttons[0].click();
  });
};

const watchSecondStep = (form) => {
  const button = form.querySelector("[data-use-key]");
  const challenge = JSON.parse(document.getElementById("key-asked").textContent);
  form.querySelector("[data-key-impossible]").hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => run(form, button, () => get(challenge)));
};

// The forms stand on the sign-in page, and on a locked page once its part for switching has come.
const showPasskeyForms = () => {
  for (const form of document.querySelectorAll("form[data-passkey-form]")) form.hidden = false;
};

const watchPasskeys = () => {
  showPasskeyForms();
  document.body.addEventListener("htmx:afterSettle", showPasskeyForms);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-use-passkey]");
    if (!button) return;
    const { form } = button;
    run(form, button, async () => get(await asked(form, { ask: "passkey" })));
  });
};

export function watchKeys() {
  if (!arePossible) return;
  watchPasskeys();
  const watched = { "data-new-key-form": watchNewKey, "data-key-form": watchSecondStep };
  for (const [mark, watch] of Object.entries(watched)) {
    const form = document.querySelector(`form[${mark}]`);
    if (form) watch(form);
  }
}
