// Elements from plain values. Whatever is shown is text: nothing here reads markup, so names of files, tables and processes
// cannot become any.

const properties = new Set(["value", "checked", "disabled", "indeterminate", "selected", "max"]);

// What a terminal or a reader would take for something else: control characters and those that turn the writing direction.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text with what cannot be seen in it spelt out. */
export function printable(text) {
    return String(text).replace(unprintable, (mark) => `\\u{${mark.codePointAt(0).toString(16)}}`);
}

/**
 * Makes an element.
 *
 * A key that begins with "on" names an event, a few are properties of form controls, all others are attributes; an attribute
 * that is null, undefined or false is left out. Children are elements and texts; null and false are left out. "own" is an
 * element that lives on from one drawing to the next and takes care of itself: it is put in, and not looked into.
 */
export function h(tag, options, ...children) {
    const element = document.createElement(tag);
    element.handlers = {};
    element.owned = [];
    for (const [key, value] of Object.entries(options ?? {})) {
        if (key === "own") {
            element.dataset.own = "";
            element.content = value;
        } else if (key.startsWith("on")) listen(element, key.slice(2), value);
        else if (properties.has(key)) {
            element[key] = value;
            element.owned.push(key);
        } else if (value === true) element.setAttribute(key, "");
        else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, printable(value));
    }
    add(element, children);
    return element;
}

function add(element, children) {
    for (const child of children) {
        if (Array.isArray(child)) add(element, child);
        else if (child instanceof Node) element.append(child);
        else if (child !== null && child !== undefined && child !== false) element.append(printable(child));
    }
}

function listen(element, event, handler) {
    element.addEventListener(event, dispatch);
    element.handlers[event] = handler;
}

function dispatch(event) { this.handlers[event.type]?.call(this, event); }

/**
 * Makes a parent's children equal to others, and keeps the elements that are there: focus, selection, scroll position and what
 * the user opened stay.
 */
export function show(parent, ...children) {
    const wanted = document.createElement(parent.tagName);
    add(wanted, children);
    matchChildren(parent, wanted);
}

function matchChildren(old, wanted) {
    let at = old.firstChild;
    const keyed = new Map();
    for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
    for (const child of [...wanted.childNodes]) {
        const known = child.dataset?.key ? keyed.get(child.dataset.key) : at;
        if (known && isAlike(known, child)) {
            if (known === at) at = at.nextSibling;
            else old.insertBefore(known, at);
            match(known, child);
        } else {
            old.insertBefore(child, at);
            putIn(child);
        }
    }
    while (at) {
        const next = at.nextSibling;
        at.remove();
        at = next;
    }
}

/** Puts what lives on into the elements that are new. */
function putIn(child) {
    if (child.nodeType !== Node.ELEMENT_NODE) return;
    for (const element of [child, ...child.querySelectorAll("[data-own]")]) if (element.content) element.replaceChildren(element.content);
}

function isAlike(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName
        && one.dataset?.key === other.dataset?.key && one.type === other.type;
}

function match(old, wanted) {
    if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== wanted.data) old.data = wanted.data;
        return;
    }
    // Whether a part is open is the user's to say.
    for (const { name } of [...old.attributes])
        if (name !== "open" && !wanted.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of wanted.attributes)
        if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const event of Object.keys(wanted.handlers ?? {}))
        if (!old.handlers?.[event]) old.addEventListener(event, dispatch);
    old.handlers = wanted.handlers ?? {};
    if (!("own" in old.dataset)) matchChildren(old, wanted);
    else if (old.content !== wanted.content) {
        old.content = wanted.content;
        putIn(old);
    }
    // After the children: a selection needs its options.
    for (const key of wanted.owned ?? []) if (old[key] !== wanted[key]) old[key] = wanted[key];
}

/** Says something to people who do not see the page. */
export function announce(text) { document.getElementById("announcement").textContent = printable(text); }
