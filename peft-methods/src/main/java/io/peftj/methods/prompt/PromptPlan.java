package io.peftj.methods.prompt;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.PromptParameters;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A prompt on one model: prompt_embeddings [T, width], trained, stored and acting as they are. */
final class PromptPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final PromptConfig config;
    private final PromptParameters parameters;

    PromptPlan(BackboneSpec spec, PromptConfig config) {
        this.spec = spec;
        this.config = config;
        this.parameters = PromptParameters.of("prompt", spec, config, config.virtualTokens(), spec.width());
    }

    @Override
    public List<ParameterSpec> stored() {
        return parameters.stored();
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        values.put(PromptParameters.STORED, start(context));
        values.putAll(parameters.saved().initialise(spec, context));
        return values;
    }

    private HostTensor start(InitialiseContext context) {
        CounterRandom random = context.random(PromptParameters.STORED);
        if (config.init() instanceof PromptInit.Text text) {
            return embeddings(context, parameters.ids(context, text.text()));
        }
        if (config.init() instanceof PromptInit.SampledVocabulary) {
            int[] ids = new int[config.virtualTokens()];
            Arrays.setAll(ids, t -> random.nextInt(spec.vocabulary()));
            return embeddings(context, ids);
        }
        return random.normal(parameters.prompt().shape(), 1);
    }

    private HostTensor embeddings(InitialiseContext context, int... ids) {
        HostTensor table = context.base(spec.sites(Role.EMBEDDING).get(0).weightName());
        int width = spec.width();
        float[] values = new float[ids.length * width];
        for (int t = 0; t < ids.length; t++) {
            System.arraycopy(table.values(), ids[t] * width, values, t * width, width);
        }
        return HostTensor.of(Shape.of(ids.length, width), values);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> stored, DeriveContext context) {
        return stored;
    }

    @Override
    public List<Contribution> contributions() {
        return parameters.contributions();
    }

    @Override
    public int positionShift() {
        return config.virtualTokens();
    }
}
