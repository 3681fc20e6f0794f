package io.peftj.methods.lora;

import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The matrices A [rank, in] and B [out, rank] at a linear layer, stored unscaled; with DoRA a magnitude [out] too.
 *
 * @param scale s = alpha / rank, or alpha / √rank
 */
record LinearTarget(Site site, int rank, double scale, LoraConfig config) implements LoraPart {
    private ParameterSpec a() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_A.weight", Shape.of(rank, site.in()));
    }

    private ParameterSpec b() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_B.weight", Shape.of(site.out(), rank));
    }

    private ParameterSpec magnitude() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_magnitude_vector", Shape.of(site.out()));
    }

    @Override
    public List<ParameterSpec> stored() {
        return config.dora() ? List.of(a(), b(), magnitude()) : List.of(a(), b());
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        LoraInit.Matrices start = config.init().start(a(), b(), context);
        Map<String, HostTensor> values = new LinkedHashMap<>();
        values.put(a().name(), start.a());
        values.put(b().name(), start.b());
        if (config.dora()) {
            HostTensor weight = context.base(site.weightName());
            values.put(magnitude().name(), Dora.magnitude(weight, start, scale));
        }
        return values;
    }

    /** The scale goes into B, and so does DoRA's, so that adapters with different scales stack. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>();
        Tensor a = LoraPart.of(parameters, a());
        Tensor b = LoraPart.of(parameters, b()).affine(scale, 0);
        if (config.dora()) {
            Tensor c = Dora.scale(site, a, b, LoraPart.of(parameters, magnitude()), context);
            b = b.times(c.reshape(site.out(), 1));
            effective.put(magnitude().name(), c.affine(1, -1));
        }
        effective.put(a().name(), a);
        effective.put(b().name(), b);
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        List<String> names = new ArrayList<>(List.of(a().name(), b().name()));
        if (config.dora()) {
            names.add(magnitude().name());
            return List.of(new Delta(site, DoraFormula.INSTANCE, names, config.dropout()));
        }
        return List.of(new Delta(site, LoraFormula.INSTANCE, names, config.dropout()));
    }
}
