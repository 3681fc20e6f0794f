package io.peftj.core.run;

import io.peftj.core.adapter.AdapterPlan;
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
import io.peftj.core.site.Sublayer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A plan whose contributions are found by place. Made once a plan, shared by all computations. */
public final class BoundPlan {
    private final AdapterPlan plan;
    private final Map<String, List<InputScale>> inputScales = new HashMap<>();
    private final Map<String, List<OutputScale>> outputScales = new HashMap<>();
    private final Map<String, List<Delta>> deltas = new HashMap<>();
    private final Map<List<Object>, List<SublayerDelta>> sublayerDeltas = new HashMap<>();
    private final Map<Integer, KeyValues> keyValues = new HashMap<>();
    private final Map<String, Substitute> substitutes = new HashMap<>();
    private final Map<String, List<SubstituteRows>> substituteRows = new HashMap<>();
    private final Map<String, List<RowDelta>> rowDeltas = new HashMap<>();
    private final Map<Integer, List<PromptEdit>> promptEdits = new HashMap<>();
    private final Map<Integer, List<PromptScale>> promptScales = new HashMap<>();
    private final Set<String> promptScaled = new HashSet<>();
    private final @Nullable VirtualTokens virtualTokens;

    /** Sorts a plan's contributions by place. */
    public BoundPlan(AdapterPlan plan) {
        this.plan = plan;
        this.virtualTokens = plan.contributions().stream()
                .filter(VirtualTokens.class::isInstance)
                .map(VirtualTokens.class::cast)
                .findFirst()
                .orElse(null);
        for (Contribution contribution : plan.contributions()) {
            if (contribution instanceof InputScale scale) {
                inputScales
                        .computeIfAbsent(scale.site().name(), key -> new ArrayList<>())
                        .add(scale);
            } else if (contribution instanceof OutputScale scale) {
                outputScales
                        .computeIfAbsent(scale.site().name(), key -> new ArrayList<>())
                        .add(scale);
            } else if (contribution instanceof Delta delta) {
                deltas.computeIfAbsent(delta.site().name(), key -> new ArrayList<>())
                        .add(delta);
            } else if (contribution instanceof SublayerDelta delta) {
                sublayerDeltas
                        .computeIfAbsent(List.of(delta.layer(), delta.sublayer()), key -> new ArrayList<>())
                        .add(delta);
            } else if (contribution instanceof KeyValues prefix) {
                keyValues.put(prefix.layer(), prefix);
            } else if (contribution instanceof Substitute substitute) {
                substitutes.put(substitute.baseParameter(), substitute);
            } else if (contribution instanceof SubstituteRows rows) {
                substituteRows
                        .computeIfAbsent(rows.baseParameter(), key -> new ArrayList<>())
                        .add(rows);
            } else if (contribution instanceof RowDelta delta) {
                rowDeltas
                        .computeIfAbsent(delta.embedding().weightName(), key -> new ArrayList<>())
                        .add(delta);
            } else if (contribution instanceof PromptEdit edit) {
                promptEdits
                        .computeIfAbsent(edit.layer(), key -> new ArrayList<>())
                        .add(edit);
            } else if (contribution instanceof PromptScale scale) {
                promptScales
                        .computeIfAbsent(scale.layer(), key -> new ArrayList<>())
                        .add(scale);
                scale.outputs()
                        .forEach(outputs -> promptScaled.add(outputs.site().name()));
            }
        }
    }

    /** The plan. */
    public AdapterPlan plan() {
        return plan;
    }

    List<InputScale> inputScales(String site) {
        return inputScales.getOrDefault(site, List.of());
    }

    List<OutputScale> outputScales(String site) {
        return outputScales.getOrDefault(site, List.of());
    }

    List<Delta> deltas(String site) {
        return deltas.getOrDefault(site, List.of());
    }

    List<SublayerDelta> sublayerDeltas(int layer, Sublayer sublayer) {
        return sublayerDeltas.getOrDefault(List.of(layer, sublayer), List.of());
    }

    boolean hasSublayerDeltas() {
        return !sublayerDeltas.isEmpty();
    }

    @Nullable
    KeyValues keyValues(int layer) {
        return keyValues.get(layer);
    }

    boolean hasKeyValues() {
        return !keyValues.isEmpty();
    }

    @Nullable
    VirtualTokens virtualTokens() {
        return virtualTokens;
    }

    @Nullable
    Substitute substitute(String baseParameter) {
        return substitutes.get(baseParameter);
    }

    List<SubstituteRows> substituteRows(String baseParameter) {
        return substituteRows.getOrDefault(baseParameter, List.of());
    }

    List<RowDelta> rowDeltas(String baseParameter) {
        return rowDeltas.getOrDefault(baseParameter, List.of());
    }

    List<PromptEdit> promptEdits(int layer) {
        return promptEdits.getOrDefault(layer, List.of());
    }

    List<PromptScale> promptScales(int layer) {
        return promptScales.getOrDefault(layer, List.of());
    }

    boolean acts(String site) {
        return deltas.containsKey(site)
                || inputScales.containsKey(site)
                || outputScales.containsKey(site)
                || promptScaled.contains(site);
    }
}
