package io.peftj.djl.backbone;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Padded;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Logits of padded batches, as Hugging Face models give them: for comparisons, not for serving, since all logits are held at once. */
public final class PaddedLogits {
    private PaddedLogits() {}

    /**
     * Logits of a batch whose rows are prompts.
     *
     * @param adapter acts on every row; null for the base model
     * @param head the classification head; null for next-token logits
     * @param ids token ids [rows, width] row-major; what stands in padding does not matter
     * @param mask 1 for real tokens, 0 for padding, on either side [rows, width]
     * @param types token types [rows, width]; null for zeros
     * @return [rows, classes], or [rows, width, vocabulary] with zeros in padding and nothing of virtual tokens
     * @throws io.peftj.core.PeftException if the mask has holes or empty rows, or the model makes no such logits
     */
    public static HostTensor of(
            Backbone base,
            @Nullable ResidentAdapter adapter,
            @Nullable HeadSpec head,
            int width,
            long[] ids,
            long[] mask,
            long @Nullable [] types) {
        return of(base, adapter, head, width, ids, mask, types, null);
    }

    /**
     * Logits of a batch whose rows begin with prompts.
     *
     * @param prompts how many of each row's real tokens are its prompt [rows]; null where all are
     * @throws io.peftj.core.PeftException as {@link #of(Backbone, ResidentAdapter, HeadSpec, int, long[], long[], long[])}
     */
    public static HostTensor of(
            Backbone base,
            @Nullable ResidentAdapter adapter,
            @Nullable HeadSpec head,
            int width,
            long[] ids,
            long[] mask,
            long @Nullable [] types,
            long @Nullable [] prompts) {
        Padded padded = Padded.of(width, mask);
        return base.call("logits", session -> {
            Stack stack = adapter == null ? Stack.BASE : Stack.of(adapter.in(session));
            List<Row> rows = new ArrayList<>();
            for (int r = 0; r < padded.rows(); r++) {
                Row row = padded.row(r, ids, types, stack);
                rows.add(prompts == null ? row : row.prompted(Math.toIntExact(prompts[r])));
            }
            Run run = new Run(session, Batch.of(session, base.spec(), rows), null);
            Tensor hidden = base.transformer().hiddenStates(run);
            return head == null ? nextToken(base, run, hidden, padded) : classes(base, run, hidden, head);
        });
    }

    private static HostTensor nextToken(Backbone base, Run run, Tensor hidden, Padded padded) {
        Tensor logits = base.outputs().logits(run, hidden, run.batch().tokens());
        int vocabulary = logits.shape().dim(1);
        float[] real = logits.cast(DType.F32).toHost().values();
        float[] all = new float[padded.rows() * padded.width() * vocabulary];
        for (int r = 0; r < padded.rows(); r++) {
            int to = run.batch().callersRow(r);
            System.arraycopy(
                    real,
                    run.batch().firstToken(r) * vocabulary,
                    all,
                    (to * padded.width() + padded.begin(to)) * vocabulary,
                    padded.length(to) * vocabulary);
        }
        return HostTensor.of(Shape.of(padded.rows(), padded.width(), vocabulary), all);
    }

    private static HostTensor classes(Backbone base, Run run, Tensor hidden, HeadSpec head) {
        float[] sorted = Tensor.concat(base.outputs().classLogits(run, hidden, head), 0)
                .toHost()
                .values();
        int rows = run.batch().rows().size();
        int classes = sorted.length / rows;
        float[] logits = new float[sorted.length];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(sorted, r * classes, logits, run.batch().callersRow(r) * classes, classes);
        }
        return HostTensor.of(Shape.of(rows, classes), logits);
    }
}
