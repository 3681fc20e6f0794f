package io.peftj.djl.engine;

import io.peftj.core.tensor.Shape;

/** What a kernel gives: its result's sizes and format. */
record Form(Shape shape, ScalarType type) {
    static Form of(ScalarType type, int... dims) {
        return new Form(Shape.of(dims), type);
    }

    Form withShape(Shape other) {
        return new Form(other, type);
    }

    Form withDim(int axis, int size) {
        return new Form(shape.with(axis, size), type);
    }

    Form withType(ScalarType other) {
        return new Form(shape, other);
    }

    long bytes() {
        return shape.size() * type.bytes();
    }

    @Override
    public String toString() {
        return type + shape.toString();
    }
}
