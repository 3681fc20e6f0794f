package io.peftj.core.tensor;

import io.peftj.core.tensor.Tape.Origin;
import io.peftj.core.tensor.Tape.Rule;
import org.jspecify.annotations.Nullable;

/** An operation that a tape noted, or a leaf (then without a rule): owns what it saved until its backward pass. */
final class Node {
    private static final Tensor[] NOTHING = new Tensor[0];

    private final Tape tape;
    private final String operation;
    private final Shape[] inputShapes;
    private final DType[] inputTypes;
    private final Origin[] inputs;
    private final @Nullable Rule rule;
    private final @Nullable Tensor[] cotangents;
    private Tensor[] saved;

    Node(
            Tape tape,
            String operation,
            Tensor[] inputs,
            Origin[] origins,
            Tensor[] saved,
            @Nullable Rule rule,
            int outputs) {
        this.tape = tape;
        this.operation = operation;
        this.inputs = origins;
        this.inputShapes = new Shape[inputs.length];
        this.inputTypes = new DType[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            inputShapes[i] = inputs[i].shape();
            inputTypes[i] = inputs[i].dtype();
        }
        this.rule = rule;
        this.saved = saved.clone();
        this.cotangents = new Tensor[outputs];
        for (Tensor tensor : saved) {
            tensor.buffer().retain();
        }
    }

    Tape tape() {
        return tape;
    }

    String operation() {
        return operation;
    }

    boolean isLeaf() {
        return rule == null;
    }

    boolean wants(int input) {
        return inputs[input].isTracked();
    }

    Tensor saved(int i) {
        return saved[i];
    }

    @Nullable
    Tensor cotangent(int output) {
        return cotangents[output];
    }

    /** Adds a cotangent to what came before: the first is shared, a second makes a new sum. */
    void accumulate(int output, Tensor cotangent) {
        Tensor before = cotangents[output];
        Tensor now = before == null ? cotangent : before.plus(cotangent);
        now.buffer().retain();
        cotangents[output] = now;
        if (before != null) {
            before.buffer().release();
        }
    }

    void give(int input, Tensor gradient) {
        if (!gradient.shape().equals(inputShapes[input]) || gradient.dtype() != inputTypes[input]) {
            throw new IllegalStateException("the gradient of input " + input + " of " + operation + " has shape "
                    + gradient.shape() + " and format " + gradient.dtype() + ", but the input has shape "
                    + inputShapes[input] + " and format " + inputTypes[input]);
        }
        inputs[input].accumulate(gradient);
    }

    /** Passes this node's cotangents to its inputs and frees what it held. */
    void pass(Session session) {
        if (rule == null) {
            return;
        }
        boolean reached = false;
        for (Tensor cotangent : cotangents) {
            reached |= cotangent != null;
        }
        if (reached) {
            for (Tensor tensor : saved) {
                tensor.checkUnchanged(operation);
            }
            try (Scope scope = session.scope()) {
                rule.apply(new Backward(this));
            }
        }
        free();
    }

    void free() {
        for (Tensor tensor : saved) {
            tensor.buffer().release();
        }
        saved = NOTHING;
        for (int i = 0; i < cotangents.length; i++) {
            Tensor cotangent = cotangents[i];
            if (cotangent != null) {
                cotangent.buffer().release();
                cotangents[i] = null;
            }
        }
    }
}
