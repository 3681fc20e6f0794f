package io.peftj.djl.backbone;

import io.peftj.core.run.Run;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import org.jspecify.annotations.Nullable;

/**
 * The body of a frozen transformer: from token ids to hidden states. Immutable and shared by all threads; the weights belong to whoever made them.
 */
public interface Transformer {
    /**
     * Hidden states after the last layer and its norm, [tokens, width].
     *
     * @throws java.util.concurrent.CancellationException if the run was cancelled between layers
     */
    Tensor hiddenStates(Run run);

    /** The matrix that makes next-token logits of hidden states [vocabulary, width]; null for an encoder or a classifier. */
    @Nullable
    Weight outputEmbedding();

    /**
     * What the classification head reads, one vector a row: the pooled states, through the model's own pooler where it has one.
     *
     * @param pooled [rows, width], as the head's pooling says
     */
    default Tensor headInput(Run run, Tensor pooled) {
        return pooled;
    }
}
