package io.peftj.methods.bitfit;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.io.ConfigReader;
import java.util.Set;

/** BitFit (arXiv 2106.10199), in files of this library's own type. */
public final class BitFitMethod implements AdapterMethod<BitFitConfig> {
    /** Found by the service loader. */
    public BitFitMethod() {}

    @Override
    public String type() {
        return "BITFIT";
    }

    @Override
    public Class<BitFitConfig> configClass() {
        return BitFitConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of("modules_to_save", "task_type");
    }

    @Override
    public BitFitConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return new BitFitConfig(ConfigJson.modulesToSave(reader), ConfigJson.taskType(reader));
    }

    @Override
    public JsonObject write(BitFitConfig config) {
        JsonObject json = new JsonObject();
        ConfigJson.addCommon(json, config);
        return json;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, BitFitConfig config) {
        return new BitFitPlan(spec, config);
    }

    @Override
    public Adapter sum(WeightedAdapters adapters) {
        BitFitConfig config = new BitFitConfig(adapters.modulesToSave(), adapters.taskType());
        AdapterPlan plan = plan(adapters.spec(), config);
        return adapters.adapter(config, plan, adapters.replaced(plan));
    }
}
