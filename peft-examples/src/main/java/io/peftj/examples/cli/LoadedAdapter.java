package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import java.nio.file.Path;

/**
 * An adapter from a file that fits a model.
 *
 * @param adapter what the file holds, its parameters in the plan's order
 * @param spec the model, with the head that the adapter brings
 * @param plan what the adapter does on it
 */
record LoadedAdapter(Adapter adapter, BackboneSpec spec, AdapterPlan plan) {
    /**
     * Reads an adapter for a loaded model.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if it was made for another
     */
    static LoadedAdapter load(Path folder, Backbone base) {
        return of(AdapterLoader.load(folder, base), base.spec());
    }

    /** Reads an adapter for a model of which only the configuration is known. */
    static LoadedAdapter load(Path folder, BackboneSpec model) {
        BackboneSpec spec = AdapterLoader.spec(model, AdapterFiles.load(folder));
        return of(AdapterFiles.load(folder, spec, LoadOptions.STRICT), model);
    }

    private static LoadedAdapter of(Adapter adapter, BackboneSpec model) {
        BackboneSpec spec = AdapterLoader.spec(model, adapter);
        return new LoadedAdapter(adapter, spec, AdapterMethods.plan(spec, adapter.config()));
    }
}
