// Runs before anything is painted, and so is no module: nothing is shown after Back, and no flash of light at night.
(function () {
  "use strict";
  var page = document.documentElement;
  var session = null;
  var local = null;
  try {
    session = window.sessionStorage;
    local = window.localStorage;
  } catch (_) {
    // Blocked storage: nothing was kept, so there is nothing to read.
  }
  /** @param {Storage | null} store @param {string} key */
  function read(store, key) {
    try {
      return store ? store.getItem(key) : null;
    } catch (_) {
      return null;
    }
  }
  // Safari before 15.4 and others of that age: the modules would stop half-way, or the page would have no style.
  var isOld =
    !Array.prototype.at || !window.HTMLDialogElement || !window.structuredClone || !("CSSLayerBlockRule" in window);
  page.className = isOld ? "old" : "js";
  if (isOld) {
    document.addEventListener("DOMContentLoaded", function () {
      var screen = document.getElementById("screen");
      if (screen === null) return;
      screen.textContent = "";
      var said = screen.appendChild(document.createElement("p"));
      said.className = "card";
      said.textContent =
        "This browser is too old for this page. Please update it or use another: Safari of iOS 15.4 or later, or Chrome, Edge or Firefox from March 2022 on. The helplines work all the same.";
    });
  }
  var theme = read(local, "chat.look.theme");
  var size = read(local, "chat.look.size");
  if (theme === "light" || theme === "dark") page.setAttribute("data-theme", theme);
  if (size === "large" || size === "larger") page.setAttribute("data-size", size);
  var left = read(session, "chat.left");
  if (session === null || left === null) return;
  var visit = performance.getEntriesByType("navigation")[0];
  if (visit instanceof PerformanceNavigationTiming && visit.type === "back_forward") {
    page.className += " left";
    location.replace(left);
  } else {
    session.removeItem("chat.left");
  }
})();
