package io.peftj.methods.lora;

import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Rows [tokens, width] that take the place of some tokens' embeddings.
 *
 * @param site the matrix they are stored for
 * @param tokens the rows' numbers
 * @param ends where they act: the matrix, and for a tied one the other end too
 */
record TokenEmbeddings(Site site, List<Integer> tokens, List<Site> ends) implements LoraPart {
    private ParameterSpec rows() {
        String name = PREFIX + site.name() + ".token_adapter.trainable_tokens_delta";
        return new ParameterSpec(name, Shape.of(tokens.size(), site.in()));
    }

    @Override
    public List<ParameterSpec> stored() {
        return List.of(rows());
    }

    /** The base's own rows. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        int width = site.in();
        float[] matrix = context.base(site.weightName()).values();
        float[] rows = new float[tokens.size() * width];
        for (int i = 0; i < tokens.size(); i++) {
            System.arraycopy(matrix, tokens.get(i) * width, rows, i * width, width);
        }
        return Map.of(rows().name(), HostTensor.of(rows().shape(), rows));
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return Map.of(rows().name(), LoraPart.of(parameters, rows()));
    }

    /** Rows have no rank. */
    @Override
    public Map<String, HostTensor> doubled(Map<String, HostTensor> stored, BaseValues values) {
        return Map.of(rows().name(), Objects.requireNonNull(stored.get(rows().name())));
    }

    @Override
    public List<Contribution> contributions() {
        return ends.stream()
                .<Contribution>map(end -> new SubstituteRows(end.weightName(), tokens, rows().name()))
                .toList();
    }
}
