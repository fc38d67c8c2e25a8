// What checks of the modules take for granted: a selector finds the kind of element that the code expects, and an
// event's target is one too. The browser tests show that.
interface ParentNode {
    querySelector(selectors: string): any;
    querySelectorAll(selectors: string): NodeListOf<any>;
}
interface Element {
    closest(selectors: string): any;
}
interface EventTarget {
    [property: string]: any;
}
