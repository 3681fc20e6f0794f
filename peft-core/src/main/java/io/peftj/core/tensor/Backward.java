package io.peftj.core.tensor;

import java.util.function.Supplier;

/** What a rule sees in the backward pass: the cotangents of its operation's results, what was saved, and which inputs want a gradient. */
final class Backward {
    private final Node node;

    Backward(Node node) {
        this.node = node;
    }

    /** The cotangent of the only result. */
    Tensor gradient() {
        return gradient(0);
    }

    /** The cotangent of a result. */
    Tensor gradient(int output) {
        Tensor cotangent = node.cotangent(output);
        if (cotangent == null) {
            throw new IllegalStateException(node.operation() + ": result " + output + " has no cotangent");
        }
        return cotangent;
    }

    /** Whether anything that is differentiated depends on a result. */
    boolean hasGradient(int output) {
        return node.cotangent(output) != null;
    }

    /** What the operation saved, in its order. */
    Tensor saved(int i) {
        return node.saved(i);
    }

    /** Whether an input leads to a leaf. */
    boolean wants(int input) {
        return node.wants(input);
    }

    /** Computes and passes on an input's gradient if it is wanted. */
    void give(int input, Supplier<Tensor> gradient) {
        if (wants(input)) {
            node.give(input, gradient.get());
        }
    }
}
