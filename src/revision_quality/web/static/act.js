// Rollback and undo by a patroller who has logged in: one key, and one more to confirm.

import { inLanguage, text } from "./texts.js";

let dialog = null;

// `form` is the one that the server made for the act; resolves to what to say of it and whether it
// was done, null where the reader thought better of it.
export async function act(form) {
  if (!(await confirmed(form))) return null;
  const body = new URLSearchParams(new FormData(form));
  body.set("confirmed", "1");
  const answer = await fetch(inLanguage(form.action), { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const outcome = await answer?.json().catch(() => null);
  if (answer?.ok) return { isDone: true, said: text(`done-${nameOf(form)}`) };
  return { isDone: false, said: `${text("not-done")} ${outcome?.problem || outcome?.detail || ""}` };
}

function nameOf(form) {
  return form.querySelector("[data-act]").dataset.act;
}

function confirmed(form) {
  dialog ??= made();
  const [question, yes] = dialog.querySelectorAll("p, [value=yes]");
  question.textContent = form.dataset.confirm;
  yes.textContent = form.querySelector("[data-act]").textContent;
  dialog.returnValue = "";
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function made() {
  const element = document.createElement("dialog");
  element.setAttribute("aria-labelledby", "question");
  const question = document.createElement("p");
  question.id = "question";
  const form = document.createElement("form");
  form.method = "dialog";
  for (const value of ["yes", "no"]) {
    const button = document.createElement("button");
    button.value = value;
    if (value === "no") button.textContent = text("cancel");
    form.append(button, " ");
  }
  element.append(question, form);
  document.body.append(element);
  return element;
}
