package io.peftj.methods.prompt;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.io.ConfigReader;
import java.util.HashSet;
import java.util.Set;

/** Prompt tuning (arXiv 2104.08691), in files as PEFT has it. */
public final class PromptMethod implements AdapterMethod<PromptConfig> {
    private static final String TOKENS = "num_virtual_tokens";
    private static final String INIT = "prompt_tuning_init";
    private static final String TEXT = "prompt_tuning_init_text";
    private static final String TOKENIZER = "tokenizer_name_or_path";
    /** How PEFT is to open the tokenizer for a text: files keep it. */
    private static final String TOKENIZER_SETTINGS = "tokenizer_kwargs";

    /** Found by the service loader. */
    public PromptMethod() {}

    @Override
    public String type() {
        return "PROMPT_TUNING";
    }

    @Override
    public Class<PromptConfig> configClass() {
        return PromptConfig.class;
    }

    @Override
    public Set<String> keys() {
        Set<String> keys = new HashSet<>(PromptDimensions.KEYS);
        keys.addAll(Set.of(TOKENS, INIT, TEXT, TOKENIZER, "modules_to_save", "task_type"));
        return keys;
    }

    @Override
    public PromptConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return new PromptConfig(
                reader.requiredInt(TOKENS),
                init(reader),
                PromptDimensions.read(reader),
                ConfigJson.modulesToSave(reader),
                ConfigJson.taskType(reader));
    }

    private static PromptInit init(ConfigReader reader) {
        return switch (reader.optionalString(INIT, "RANDOM")) {
            case "RANDOM" -> PromptInit.normal();
            case "SAMPLE_VOCAB" -> PromptInit.sampledVocabulary();
            case "TEXT" -> new PromptInit.Text(reader.requiredString(TEXT), reader.requiredString(TOKENIZER));
            default ->
                throw reader.error(
                        INIT,
                        "\"RANDOM\", \"SAMPLE_VOCAB\" or \"TEXT\"",
                        "correct it; a trained prompt does not depend on it");
        };
    }

    @Override
    public JsonObject write(PromptConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty(TOKENS, config.virtualTokens());
        PromptInit.Text text = config.init() instanceof PromptInit.Text own ? own : null;
        String init = config.init() instanceof PromptInit.Normal ? "RANDOM" : "SAMPLE_VOCAB";
        json.addProperty(INIT, text == null ? init : "TEXT");
        json.addProperty(TEXT, text == null ? null : text.text());
        json.addProperty(TOKENIZER, text == null ? null : tokenizer(text));
        json.add(TOKENIZER_SETTINGS, JsonNull.INSTANCE);
        PromptDimensions.write(json, config.dimensions());
        ConfigJson.addCommon(json, config);
        return json;
    }

    private static String tokenizer(PromptInit.Text text) {
        return AdapterFiles.isPathOfThisMachine(text.tokenizer()) ? PromptInit.Text.OWN_TOKENIZER : text.tokenizer();
    }

    /**
     * Says the model's sizes.
     *
     * @throws InvalidConfigException if the configuration says others
     */
    @Override
    public PromptConfig complete(BackboneSpec spec, PromptConfig config) {
        return config.withDimensions(PromptDimensions.ofEmbeddings(spec).agreeing("prompt", spec, config.dimensions()));
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, PromptConfig config) {
        return new PromptPlan(spec, complete(spec, config));
    }
}
