package io.peftj.core.tensor;

import io.peftj.core.tensor.Tape.Rule;
import java.util.List;
import java.util.function.Supplier;

/** What every operation does alike: refuse wrong shapes before any native call, own the result, note the rule. */
final class Ops {
    private Ops() {}

    /** Owns a result and notes where it came from. */
    static Tensor result(
            String operation, Buffer out, Shape shape, DType dtype, Tensor[] inputs, Tensor[] saved, Rule rule) {
        return note(operation, inputs[0].session().own(out, shape, dtype), inputs, saved, rule);
    }

    /** Notes where a result came from. */
    static Tensor note(String operation, Tensor result, Tensor[] inputs, Tensor[] saved, Rule rule) {
        return noteAll(operation, List.of(result), inputs, saved, rule).get(0);
    }

    /** Notes where several results of one operation came from. */
    static List<Tensor> noteAll(String operation, List<Tensor> results, Tensor[] inputs, Tensor[] saved, Rule rule) {
        Tape tape = inputs[0].session().tape();
        return tape == null ? results : tape.noteCompact(operation, results, inputs, saved, rule);
    }

    static Tensor[] tensors(Tensor... tensors) {
        return tensors;
    }

    static Kernels kernels(String operation, Tensor first, Tensor... others) {
        first.checkUsable(operation);
        for (Tensor other : others) {
            other.checkUsable(operation);
            if (other.session() != first.session()) {
                throw new IllegalArgumentException(operation + ": the tensors belong to different sessions");
            }
            if (other.dtype() != first.dtype()) {
                throw new IllegalArgumentException(operation + ": the formats " + first.dtype() + " and "
                        + other.dtype() + " differ; cast one of them, nothing is promoted");
            }
        }
        return first.session().kernels();
    }

    static void checkRank(String operation, Tensor x, int rank, String meaning) {
        if (x.shape().rank() != rank) {
            throw new IllegalArgumentException(operation + ": expected " + meaning + ", found shape " + x.shape());
        }
    }

    static void checkShape(String operation, String what, Tensor x, Shape expected) {
        if (!x.shape().equals(expected)) {
            throw new IllegalArgumentException(
                    operation + ": " + what + " should have shape " + expected + ", found " + x.shape());
        }
    }

    static void check(boolean condition, String operation, Supplier<String> message) {
        if (!condition) {
            throw new IllegalArgumentException(operation + ": " + message.get());
        }
    }
}
