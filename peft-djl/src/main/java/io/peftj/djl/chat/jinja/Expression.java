package io.peftj.djl.chat.jinja;

/** Something that has a value. */
@FunctionalInterface
interface Expression {
    Object value(Scope scope);
}
