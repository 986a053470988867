// Says that a script of the page has not arrived: the site was updated while the page was loaded, or the network broke.
// One that is missing takes with it those that import it; a page without them does not show what becomes of a save.
(() => {
  let isSaid = false;

  const say = () => {
    const reload = document.createElement("button");
    reload.type = "button";
    reload.className = "btn btn-quiet";
    reload.textContent = "Reload the page";
    reload.addEventListener("click", () => location.reload());
    const message = document.createElement("p");
    message.className = "message message-wrong";
    message.setAttribute("role", "alert");
    message.append("A part of this page has not arrived. It may not show what is saved: do not chart here. ", reload);
    document.getElementById("main").prepend(message);
  };

  addEventListener(
    "error",
    ({ target }) => {
      if (isSaid || !(target instanceof HTMLScriptElement)) return;
      isSaid = true;
      if (document.readyState === "loading") addEventListener("DOMContentLoaded", say);
      else say();
    },
    true,
  );
})();
