package io.peftj.djl.backbone;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.Contribution.InputScale;
import io.peftj.core.adapter.Contribution.KeyValues;
import io.peftj.core.adapter.Contribution.OutputScale;
import io.peftj.core.adapter.Contribution.PromptEdit;
import io.peftj.core.adapter.Contribution.PromptScale;
import io.peftj.core.adapter.Contribution.RowDelta;
import io.peftj.core.adapter.Contribution.SublayerDelta;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.adapter.Contribution.VirtualTokens;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Filling;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/**
 * Works an adapter's contributions into weights: with the order at a site, W' = diag(output scale) · (W + Δ) · diag(input scale), and the bias takes the
 * output scale alone.
 */
final class Merging {
    private final Backbone base;
    private final ResidentAdapter resident;
    private final List<Contribution> contributions;

    Merging(Backbone base, ResidentAdapter resident) {
        this.base = base;
        this.resident = resident;
        this.contributions = resident.plan().plan().contributions();
    }

    /** The weights and vectors that change, by the name of the base's parameter. */
    Map<String, HostTensor> weights() {
        for (Contribution contribution : contributions) {
            if (contribution instanceof VirtualTokens) {
                throw cannotHold("puts virtual tokens before the rows", "prompt tuning and P-tuning");
            }
            if (contribution instanceof KeyValues) {
                throw cannotHold("puts keys and values before the rows", "prefix tuning");
            }
            if (contribution instanceof PromptEdit) {
                throw cannotHold("changes states at some places of a prompt and not at others", "LoReFT");
            }
            if (contribution instanceof PromptScale) {
                throw cannotHold("scales with vectors that are made of each prompt", "PEDRO");
            }
            if (contribution instanceof SublayerDelta) {
                throw cannotHold("adds a network of its own to its layers", "bottleneck adapters");
            }
        }
        return base.call("merged", session -> {
            ActiveAdapter adapter = resident.in(session);
            Map<String, HostTensor> changed = new LinkedHashMap<>();
            substitute(adapter, changed);
            substituteRows(adapter, changed);
            for (Site site : touched()) {
                try (Scope scope = session.scope()) {
                    merge(session, site, adapter.effective()::get, changed);
                }
            }
            changed.forEach(this::checkFinite);
            resolveTie(changed);
            return changed;
        });
    }

    private PeftException cannotHold(String what, String method) {
        return new PeftException("adapter " + resident.name() + " " + what + ", which no weight can hold: " + method
                + " cannot be merged; attach the adapter to the rows instead");
    }

    private void substitute(ActiveAdapter adapter, Map<String, HostTensor> changed) {
        for (Contribution contribution : contributions) {
            if (contribution instanceof Substitute substitute) {
                Tensor value = adapter.effective().get(substitute.replacement());
                if (value != null) {
                    HostTensor host = value.toHost();
                    changed.put(substitute.baseParameter(), substitute.transposed() ? host.transposed() : host);
                }
            }
        }
    }

    private void substituteRows(ActiveAdapter adapter, Map<String, HostTensor> changed) {
        for (Contribution contribution : contributions) {
            if (contribution instanceof SubstituteRows substitute) {
                String name = substitute.baseParameter();
                HostTensor before = current(name, changed);
                int width = before.shape().dim(1);
                float[] values = before.values().clone();
                float[] rows = value(adapter, substitute.replacement()).toHost().values();
                for (int i = 0; i < substitute.rows().size(); i++) {
                    System.arraycopy(rows, i * width, values, substitute.rows().get(i) * width, width);
                }
                changed.put(name, HostTensor.of(before.shape(), values));
            }
        }
    }

    private static Tensor value(ActiveAdapter adapter, String name) {
        return Objects.requireNonNull(adapter.effective().get(name), name);
    }

    private Set<Site> touched() {
        Set<Site> sites = new LinkedHashSet<>();
        for (Contribution contribution : contributions) {
            if (contribution instanceof Delta delta) {
                sites.add(delta.site());
            } else if (contribution instanceof InputScale scale) {
                sites.add(scale.site());
            } else if (contribution instanceof OutputScale scale) {
                sites.add(scale.site());
            } else if (contribution instanceof RowDelta delta) {
                sites.add(delta.embedding());
            }
        }
        return sites;
    }

    private void merge(
            Session session, Site site, Function<String, Tensor> parameter, Map<String, HostTensor> changed) {
        Tensor matrix = session.tensor(current(site.weightName(), changed));
        Tensor weight = matrix;
        for (Contribution contribution : contributions) {
            if (contribution instanceof Delta delta && delta.site().equals(site)) {
                List<Tensor> parameters =
                        delta.parameters().stream().map(parameter).toList();
                Tensor change = delta.formula().change(parameters, Filling.part(delta.outputs(), matrix, 0));
                weight = weight.plus(Filling.up(session, delta.outputs(), change, 0, 0));
            } else if (contribution instanceof RowDelta delta
                    && delta.embedding().equals(site)) {
                Tensor change = parameter.apply(delta.factor()).matmul(parameter.apply(delta.table()));
                weight = weight.plus(change.transpose());
            }
        }
        boolean biased = site.bias() || changed.containsKey(site.biasName());
        Tensor bias = biased ? session.tensor(current(site.biasName(), changed)) : null;
        for (Contribution contribution : contributions) {
            if (contribution instanceof InputScale scale && scale.site().equals(site)) {
                weight = weight.times(parameter.apply(scale.scale()));
            } else if (contribution instanceof OutputScale scale && scale.site().equals(site)) {
                Tensor l = Filling.up(session, scale.outputs(), parameter.apply(scale.scale()), 0, 1);
                weight = weight.times(l.reshape(site.out(), 1));
                bias = bias == null ? null : bias.times(l);
            }
        }
        changed.put(site.weightName(), weight.toHost());
        if (bias != null) {
            changed.put(site.biasName(), bias.toHost());
        }
    }

    private HostTensor current(String name, Map<String, HostTensor> changed) {
        HostTensor known = changed.get(name);
        return known != null ? known : original(name);
    }

    private HostTensor original(String name) {
        return base.parameter(name)
                .orElseThrow(() -> new PeftException("the base model has no parameter " + name + " to merge into"));
    }

    /** A tied embedding stays one matrix where both ends change alike; else each end stands under a name of its own. */
    private void resolveTie(Map<String, HostTensor> changed) {
        if (!base.spec().tied()) {
            return;
        }
        String in = base.spec().sites(Role.EMBEDDING).get(0).weightName();
        for (Site output : base.spec().sites(Role.OUTPUT_EMBEDDING)) {
            String out = output.weightName();
            if (changed.containsKey(in) || changed.containsKey(out)) {
                HostTensor ofInput = current(in, changed);
                HostTensor ofOutput = current(out, changed);
                if (Arrays.equals(ofInput.values(), ofOutput.values())) {
                    changed.put(in, ofInput);
                    changed.remove(out);
                } else {
                    changed.put(out, ofOutput);
                }
            }
        }
    }

    private void checkFinite(String name, HostTensor value) {
        for (float v : value.values()) {
            if (!Float.isFinite(v)) {
                throw new PeftException("merging adapter " + resident.name() + " makes " + name
                        + " not finite; the base model is unchanged; check the adapter's values");
            }
        }
    }
}
