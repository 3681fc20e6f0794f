package io.peftj.examples.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.Json;
import io.peftj.core.site.Site;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What there is to say of a model, and of an adapter on it, for people and for machines.
 *
 * @param spec the model, with the head that the adapter brings
 * @param adapter null for a model alone
 */
record Inspection(BackboneSpec spec, @Nullable PlannedAdapter adapter) {
    /** One line of JSON. */
    JsonLine json() {
        JsonLine line = new JsonLine()
                .put("architecture", spec.architecture())
                .put("layers", spec.layers())
                .put("width", spec.width())
                .put("parameters", spec.parameterCount());
        if (adapter == null) {
            return line.put("sites", sites());
        }
        JsonObject acts = new JsonObject();
        adapter.acting().forEach((place, kinds) -> acts.add(place, array(kinds)));
        return line.put("type", adapter.type())
                .put("trainable", adapter.trainable())
                .put("total", total(adapter))
                .putRounded("percent", percent(adapter), 4)
                .put("labels", array(adapter.labels()))
                .put("acts", acts)
                .put("config", adapter.config());
    }

    private JsonArray sites() {
        JsonArray sites = new JsonArray();
        for (Site site : spec.sites()) {
            JsonObject json = new JsonObject();
            json.addProperty("name", site.name());
            json.addProperty("role", role(site));
            json.addProperty("layer", site.layer());
            json.addProperty("in", site.in());
            json.addProperty("out", site.out());
            json.addProperty("bias", site.bias());
            sites.add(json);
        }
        return sites;
    }

    private static JsonArray array(List<String> texts) {
        JsonArray array = new JsonArray();
        texts.forEach(array::add);
        return array;
    }

    /** Several lines with tables. */
    String text() {
        String model = String.format(
                Locale.ROOT,
                "%s: %d layers of width %d, %d heads (%d of keys and values), vocabulary %d, at most %d tokens%n"
                        + "parameters: %,d%n",
                spec.architecture(),
                spec.layers(),
                spec.width(),
                spec.heads(),
                spec.keyValueHeads(),
                spec.vocabulary(),
                spec.positions(),
                spec.parameterCount());
        if (adapter == null) {
            Table sites = new Table("site", "role", "out", "in", "bias");
            spec.sites()
                    .forEach(site ->
                            sites.row(site.name(), role(site), site.out(), site.in(), site.bias() ? "yes" : "no"));
            return String.format("%s%n%s", model, sites);
        }
        String trainable = String.format(
                Locale.ROOT,
                "trainable with %s: %,d of %,d (%.4f %%)%n",
                adapter.type(),
                adapter.trainable(),
                total(adapter),
                percent(adapter));
        String labels = adapter.labels().isEmpty() ? "" : String.format("labels: %s%n", adapter.labels());
        Table acting = new Table("acts at", "with");
        adapter.acting().forEach((place, kinds) -> acting.row(place, String.join(", ", kinds)));
        return String.format("%s%s%s%n%s%n%s%n", model, trainable, labels, acting, Json.write(adapter.config()));
    }

    /** As PEFT counts: the base and what is trained, whether it is added to the base or replaces something. */
    private long total(PlannedAdapter adapter) {
        return spec.parameterCount() + adapter.trainable();
    }

    private double percent(PlannedAdapter adapter) {
        return 100.0 * adapter.trainable() / total(adapter);
    }

    private static String role(Site site) {
        return site.role().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
