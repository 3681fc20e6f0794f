package io.peftj.examples.cli;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What an adapter does on a model, in words.
 *
 * @param type the method's type
 * @param config its settings as a file holds them
 * @param trainable number of trained parameters
 * @param labels class names; empty for none
 * @param acting what acts, by the name of the site, layer or parameter
 */
record PlannedAdapter(
        String type, JsonObject config, long trainable, List<String> labels, Map<String, List<String>> acting) {

    static <C extends AdapterConfig> PlannedAdapter of(BackboneSpec spec, C config, List<String> labels) {
        AdapterMethod<C> method = AdapterMethods.of(config);
        AdapterPlan plan = method.plan(spec, config);
        Map<String, List<String>> acting = new LinkedHashMap<>();
        for (Contribution contribution : plan.contributions()) {
            acting.computeIfAbsent(place(contribution), key -> new ArrayList<>())
                    .add(kind(contribution));
        }
        return new PlannedAdapter(method.type(), method.write(config), plan.trainableCount(), labels, acting);
    }

    private static String place(Contribution contribution) {
        if (contribution instanceof Contribution.InputScale scale) {
            return scale.site().name();
        }
        if (contribution instanceof Contribution.OutputScale scale) {
            return scale.outputs().toString();
        }
        if (contribution instanceof Contribution.Delta delta) {
            return delta.outputs().toString();
        }
        if (contribution instanceof Contribution.SublayerDelta delta) {
            return "output of layer " + delta.layer() + "'s " + words(delta.sublayer());
        }
        if (contribution instanceof Contribution.KeyValues prefix) {
            return "attention of layer " + prefix.layer();
        }
        if (contribution instanceof Contribution.VirtualTokens) {
            return "before every row";
        }
        if (contribution instanceof Contribution.Substitute substitute) {
            return substitute.baseParameter();
        }
        if (contribution instanceof Contribution.SubstituteRows rows) {
            return rows.baseParameter();
        }
        if (contribution instanceof Contribution.RowDelta delta) {
            return delta.embedding().name();
        }
        if (contribution instanceof Contribution.PromptEdit edit) {
            return "output of layer " + edit.layer();
        }
        if (contribution instanceof Contribution.PromptScale scale) {
            return scale.outputs().stream().map(OutputRange::toString).collect(Collectors.joining(", "));
        }
        return "the model";
    }

    private static String words(Sublayer sublayer) {
        return sublayer.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** Such as "output scale" for an OutputScale. */
    private static String kind(Contribution contribution) {
        return contribution
                .getClass()
                .getSimpleName()
                .replaceAll("(?<=.)(?=[A-Z])", " ")
                .toLowerCase(Locale.ROOT);
    }
}
