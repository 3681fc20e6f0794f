package io.peftj.testkit.contract;

import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;

/** One configuration on one model. */
record ContractCase(ContractModel model, TestedConfig tested) {
    AdapterPlan plan() {
        return AdapterMethods.plan(model.spec(), AdapterMethods.complete(model.spec(), tested.config()));
    }

    /** A new adapter. */
    Subject initial(long seed) {
        return Subject.initial(model, tested.name(), tested.config(), seed);
    }

    /** An adapter in which nothing is zero. */
    Subject randomised(long seed) {
        return Subject.randomised(model, tested.name(), tested.config(), seed);
    }

    @Override
    public String toString() {
        return model + ", " + tested.name();
    }
}
