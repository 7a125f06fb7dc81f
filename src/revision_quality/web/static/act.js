// Rollback and undo by a patroller who has logged in: one key, and one more to confirm.

import { inLanguage, text } from "./texts.js";

let dialog = null;
let asking = null;

// Asks before the act of a row's form; resolves to whether it is meant. One question at a time.
export function confirmed(key, form) {
  dialog ??= made();
  if (dialog.open) return Promise.resolve(false);
  asking = key;
  const [question, yes] = dialog.querySelectorAll("p, [value=yes]");
  question.textContent = form.dataset.confirm;
  yes.textContent = form.querySelector("[data-act]").textContent;
  dialog.returnValue = "";
  dialog.showModal();
  yes.focus();
  return new Promise((resolve) => {
    const answer = () => {
      question.textContent = "";
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", answer, { once: true });
  });
}

// The question names a user and a page: where they are hidden it goes.
export function retract(key) {
  if (dialog?.open && asking === key) dialog.close();
}

// Resolves to whether it is done, and what to say of it. Without an answer nobody knows.
export async function send(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("confirmed", "1");
  const answer = await fetch(inLanguage(form.action), { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const outcome = await answer?.json().catch(() => null);
  if (answer?.ok) return { isDone: true, said: text(`done-${form.querySelector("[data-act]").dataset.act}`) };
  const problem = answer?.status < 500 && (outcome?.problem || outcome?.detail);
  return { said: problem ? `${text("not-done")} ${problem}` : text("no-answer") };
}

function made() {
  const element = document.createElement("dialog");
  element.setAttribute("aria-labelledby", "question");
  // A key that is held down has opened the dialog: it must not confirm it, too.
  element.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  element.innerHTML = "<p id=question></p><form method=dialog><button value=yes></button> <button value=no></button></form>";
  element.querySelector("[value=no]").textContent = text("cancel");
  document.body.append(element);
  return element;
}
