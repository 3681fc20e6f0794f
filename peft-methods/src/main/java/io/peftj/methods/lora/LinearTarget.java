package io.peftj.methods.lora;

import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The matrices A [rank, in] and B [out, rank] at a linear layer, stored unscaled; with DoRA a magnitude [out] too.
 *
 * @param scale s = alpha / rank, or alpha / √rank
 */
record LinearTarget(Site site, int rank, double scale, LoraConfig config) implements LowRankPart {
    LinearTarget {
        config.init().check(site.name(), rank, Math.min(site.in(), site.out()));
    }

    ParameterSpec a() {
        return new ParameterSpec(PREFIX + site.name() + ".lora_A.weight", Shape.of(rank, site.in()));
    }

    ParameterSpec b() {
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
        LoraInit.Matrices start = config.init().start(this, context);
        Map<String, HostTensor> values = new LinkedHashMap<>();
        values.put(a().name(), start.a());
        values.put(b().name(), start.b());
        if (config.dora()) {
            HostTensor weight = context.base(site.weightName());
            HostTensor sum = config.init().isOfBase() ? weight : start.addedTo(weight, scale);
            values.put(magnitude().name(), Dora.lengths(sum));
        }
        return values;
    }

    /** The scale goes into B, and so does DoRA's, so that adapters with different scales stack. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>();
        Tensor a = LoraPart.of(parameters, a());
        Tensor b = LoraPart.of(parameters, b());
        if (config.init().isOfBase()) {
            // BA − B₀A₀ is one product of twice the rank.
            LoraInit.Matrices taken = config.init().ofBase(this, context);
            a = Tensor.concat(List.of(a, a.session().tensor(taken.a())), 0);
            b = Tensor.concat(List.of(b, b.session().tensor(taken.b()).affine(-1, 0)), 1);
        }
        b = b.affine(scale, 0);
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
    public Map<String, HostTensor> doubled(Map<String, HostTensor> stored, BaseValues values) {
        LoraInit.Matrices taken = config.init().ofBase(this, values);
        Matrix a = LoraPart.matrix(stored, a());
        Matrix b = LoraPart.matrix(stored, b());
        Map<String, HostTensor> doubled = new LinkedHashMap<>();
        doubled.put(a().name(), a.above(Matrix.of(taken.a())).toHost());
        doubled.put(b().name(), b.beside(Matrix.of(taken.b()).times(-1)).toHost());
        if (config.dora()) {
            doubled.put(
                    magnitude().name(),
                    Objects.requireNonNull(stored.get(magnitude().name())));
        }
        return doubled;
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
        List<String> names = new ArrayList<>(List.of(a().name(), b().name()));
        if (config.dora()) {
            names.add(magnitude().name());
            return List.of(new Delta(site, DoraFormula.INSTANCE, names, config.dropout()));
        }
        return List.of(new Delta(site, LoraFormula.INSTANCE, names, config.dropout()));
    }
}
