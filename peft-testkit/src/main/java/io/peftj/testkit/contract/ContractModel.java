package io.peftj.testkit.contract;

import io.peftj.core.run.FrozenBase;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Tensor;
import java.util.List;

/**
 * A frozen model as the contract sees it: what goes in is a {@link Run} over rows with their adapters, what comes out are logits and a loss.
 *
 * <p>Choose models small enough for arithmetic in plain Java: a few layers of a width under 32, some 20 tokens, 32 positions. Its
 * {@code toString()} names the model in reports.
 */
public interface ContractModel extends FrozenBase, AutoCloseable {
    /** The format it computes in. */
    DType dtype();

    /** Whether the backend keeps full doubles whatever a format says, so that finite differences see no rounding. */
    boolean isExact();

    /**
     * The error allowed where two ways of computing the same add up in another order, relative to the largest value. Batches of other sizes may take
     * other kernels.
     */
    default double tolerance() {
        if (isExact()) {
            return 1e-10;
        }
        // Of stacks of large random adapters in bf16, either way strays up to 4 % of the largest logit from single
        // precision.
        return dtype() == DType.BF16 ? 0.12 : 2e-5;
    }

    /**
     * What the batch's rows give, a tensor a row, in the batch's order: next-token logits [tokens, vocabulary] of a language model, virtual tokens left
     * out, class logits [1, classes] of a classifier.
     */
    List<Tensor> logits(Run run);

    /**
     * The sum of the negative log-likelihoods of what the batch's rows should give, a scalar: of every token that has another or a virtual one
     * before it for a language model, of the class {@code example % classes} for a classifier.
     */
    Tensor loss(Run run);

    /** The same model with an adapter's changes in its weights, to be closed before this one. */
    ContractModel merged(ResidentAdapter adapter);

    @Override
    void close();
}
