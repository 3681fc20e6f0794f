package io.peftj.methods.lora;

import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.RowDelta;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The matrices A [rank, vocabulary] and B [width, rank] of token embeddings, stored unscaled: s·B·A[:, id] is added to a token's embedding, without
 * dropout. What the output embedding makes of a tied matrix stays as it is.
 *
 * @param scale s = alpha / rank, or alpha / √rank
 */
record EmbeddingTarget(Site site, int rank, double scale, LoraInit init) implements LowRankPart {
    private ParameterSpec a() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_embedding_A", Shape.of(rank, site.out()));
    }

    private ParameterSpec b() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_embedding_B", Shape.of(site.in(), rank));
    }

    @Override
    public List<ParameterSpec> stored() {
        return List.of(a(), b());
    }

    /** As PEFT has it for every init but "false": A zero, B normal. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        values.put(a().name(), init == LoraInit.RANDOM ? normal(a(), context) : HostTensor.filled(a().shape(), 0));
        values.put(b().name(), normal(b(), context));
        return values;
    }

    private static HostTensor normal(ParameterSpec matrix, InitialiseContext context) {
        return context.random(matrix.name()).normal(matrix.shape(), 1);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return Map.of(
                a().name(), LoraPart.of(parameters, a()),
                b().name(), LoraPart.of(parameters, b()).affine(scale, 0));
    }

    /** Embeddings start as an identity by themselves: zeros fill up the rank. */
    @Override
    public Map<String, HostTensor> doubled(Map<String, HostTensor> stored, BaseValues values) {
        Matrix a = LoraPart.matrix(stored, a());
        Matrix b = LoraPart.matrix(stored, b());
        return Map.of(
                a().name(), a.above(a.times(0)).toHost(),
                b().name(), b.beside(b.times(0)).toHost());
    }

    @Override
    public Factors factors(Map<String, HostTensor> stored) {
        return new Factors(
                LoraPart.matrix(stored, a()), LoraPart.matrix(stored, b()).times(scale));
    }

    @Override
    public Map<String, HostTensor> named(Factors factors) {
        return Map.of(a().name(), factors.a().toHost(), b().name(), factors.b().toHost());
    }

    @Override
    public List<Contribution> contributions() {
        return List.of(new RowDelta(site, a().name(), b().name()));
    }
}
