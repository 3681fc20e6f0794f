package io.peftj.core.adapter;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * What a configured method does on one model. Pure: it holds no values and nothing native.
 *
 * <p>Parameters come in three forms. <em>Raw</em> ones are trained and kept in checkpoints; <em>stored</em> ones are what an {@link Adapter} and its
 * files hold, under their names in the file; <em>effective</em> ones are what the formulas read, derived from raw or stored ones once an optimiser
 * step or once a load. For most methods raw and stored are the same.
 */
public interface AdapterPlan {
    /** The stored parameters, in the order of the files. */
    List<ParameterSpec> stored();

    /** The parameters that training changes. */
    default List<ParameterSpec> raw() {
        return stored();
    }

    /** Initial values of the raw parameters, by name. */
    Map<String, HostTensor> initialise(InitialiseContext context);

    /**
     * Makes the effective parameters; operations are noted if a tape records.
     *
     * @param parameters raw or stored ones by name, in f32 at least
     * @return effective ones under the names that {@link #contributions()} uses
     */
    Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context);

    /** Makes stored parameters of raw ones. */
    default Map<String, Tensor> fold(Map<String, Tensor> raw) {
        return raw;
    }

    /**
     * Checks what stored parameters of the right shapes hold.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the method cannot have made such values; the message names the parameter
     */
    default void check(Map<String, HostTensor> stored) {}

    /** Where and how the effective parameters act. */
    List<Contribution> contributions();

    /** Places that every row's tokens are shifted by, because the adapter stands before them. */
    default int positionShift() {
        return 0;
    }

    /** Those of the {@link #positionShift} places that are tokens of the adapter's own, each computed with like a token of the row. */
    default int virtualTokens() {
        return contributions().stream()
                .mapToInt(contribution -> contribution instanceof Contribution.VirtualTokens own ? own.count() : 0)
                .sum();
    }

    /** The first token of a row that something stands before, so that it can be learnt: the first where virtual tokens do, else the second. */
    default int firstPredicted() {
        return virtualTokens() > 0 ? 0 : 1;
    }

    /** Whether it reads a row's whole prompt, or its length, to act on any of its tokens, so that nothing of the prompt may be learnt. */
    default boolean readsWholePrompt() {
        return false;
    }

    /**
     * How many tokens of a text that has no prompt are taken for one, and not learnt: those before {@link #firstPredicted}, or of a method that reads the
     * prompt as a whole half of them.
     */
    default int promptOfText(int tokens) {
        return readsWholePrompt() ? (tokens + 1) / 2 : firstPredicted();
    }

    /** Number of trainable numbers. */
    default long trainableCount() {
        return raw().stream().mapToLong(p -> p.shape().size()).sum();
    }
}
