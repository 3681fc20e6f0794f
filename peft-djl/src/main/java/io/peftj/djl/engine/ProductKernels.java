package io.peftj.djl.engine;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Segments;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Matrix products with frozen weights, with trainable matrices, and with stacks of them by segment. */
final class ProductKernels {
    private final TorchCalls calls;
    private final KernelChoice choice;
    private final boolean packedWeights;

    ProductKernels(TorchCalls calls, KernelChoice choice, boolean packedWeights) {
        this.calls = calls;
        this.choice = choice;
        this.packedWeights = packedWeights;
    }

    Buffer linear(TorchBuffer x, TorchWeight weight, @Nullable Buffer bias) {
        Form form = x.form().withDim(-1, weight.outFeatures());
        int tokens = x.dim(0);
        if (packedWeights && choice.packs(x.type(), tokens)) {
            return calls.one("linear", form, x, weight.packed(this::pack), bias, true);
        }
        return calls.one("linear", form, x, weight.matrix(), bias, choice.fastWeight(x.type(), tokens));
    }

    private TorchBuffer pack(TorchBuffer matrix) {
        return calls.opaque(calls.run("pack", matrix, KernelChoice.PACKED_FOR), matrix.form());
    }

    Buffer linearTransposed(TorchBuffer g, TorchWeight weight) {
        Form form = g.form().withDim(-1, weight.inFeatures());
        return calls.one("linear_transposed", form, g, weight.matrix(), choice.fastWeight(g.type(), g.dim(0)));
    }

    Buffer rows(TorchWeight weight, Index index) {
        return calls.one("gather", weight.matrix().form().withDim(0, index.size()), weight.matrix(), index);
    }

    Buffer matmul(TorchBuffer a, TorchBuffer b) {
        boolean fast = a.rank() == 2 && choice.fastProduct(a.type(), a.dim(0), a.dim(1), b.dim(1));
        return calls.one("matmul", a.form().withDim(-1, b.dim(-1)), a, b, fast);
    }

    Buffer[] orthonormalRows(TorchBuffer x) {
        return calls.several("orthonormal_rows", List.of(x.form(), x.form().withDim(1, x.dim(0))), x);
    }

    Buffer grouped(TorchBuffer x, TorchBuffer p, @Nullable Segments segments) {
        return grouped("grouped", x, p, p.dim(-2), segments);
    }

    Buffer groupedTransposed(TorchBuffer g, TorchBuffer p, @Nullable Segments segments) {
        return grouped("grouped_transposed", g, p, p.dim(-1), segments);
    }

    private Buffer grouped(String kernel, TorchBuffer x, TorchBuffer p, int width, @Nullable Segments segments) {
        Groups groups = Groups.of(segments);
        boolean fast = choice.fastProduct(x.type(), x.dim(0), p.dim(-1), p.dim(-2));
        return calls.one(kernel, x.form().withDim(-1, width), x, p, groups.table, groups.length, groups.slots, fast);
    }

    Buffer groupedOuter(TorchBuffer g, TorchBuffer x, @Nullable Segments segments) {
        Groups groups = Groups.of(segments);
        Form form = groups.count == 0
                ? Form.of(g.type(), g.dim(1), x.dim(1))
                : Form.of(g.type(), groups.count, g.dim(1), x.dim(1));
        boolean fast = choice.fastProduct(g.type(), x.dim(0), g.dim(1), x.dim(1));
        return calls.one("grouped_outer", form, g, x, groups.table, groups.length, groups.slots, groups.count, fast);
    }

    Buffer[] lowRankDelta(
            TorchBuffer x, TorchBuffer a, TorchBuffer b, @Nullable Segments segments, @Nullable Dropout dropout) {
        Groups groups = Groups.of(segments);
        return calls.several(
                "low_rank_delta",
                List.of(
                        x.form().withDim(-1, b.dim(-2)),
                        new Form(x.form().shape().with(-1, a.dim(-2)), a.type())),
                x,
                a,
                b,
                groups.table,
                groups.length,
                groups.slots,
                fastLowRank(x, a, b),
                dropout == null ? null : dropout.tokenKeys(),
                dropout == null ? null : dropout.thresholds(),
                siteOf(dropout));
    }

    Buffer[] lowRankDeltaBackward(
            TorchBuffer g,
            TorchBuffer x,
            TorchBuffer a,
            TorchBuffer b,
            TorchBuffer low,
            @Nullable Segments segments,
            @Nullable Dropout dropout,
            boolean wantInput) {
        Groups groups = Groups.of(segments);
        return calls.several(
                "low_rank_delta_backward",
                wantInput ? List.of(a.form(), b.form(), x.form()) : List.of(a.form(), b.form()),
                g,
                x,
                a,
                b,
                low,
                groups.table,
                groups.length,
                groups.slots,
                groups.count,
                fastLowRank(x, a, b),
                dropout == null ? null : dropout.tokenKeys(),
                dropout == null ? null : dropout.thresholds(),
                siteOf(dropout),
                wantInput);
    }

    private boolean fastLowRank(TorchBuffer x, TorchBuffer a, TorchBuffer b) {
        return choice.fastProduct(a.type(), x.dim(0), a.dim(-2), a.dim(-1), b.dim(-2));
    }

    /** The kernel hashes a token's key with the scrambled site. */
    static long siteOf(@Nullable Dropout dropout) {
        return dropout == null ? 0 : CounterRandom.mix(dropout.site());
    }
}
