package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Objective;
import io.peftj.testkit.contract.ContractModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A backbone under the contract.
 *
 * @param name names it in reports
 */
record BackboneModel(String name, Backbone base) implements ContractModel {
    @Override
    public BackboneSpec spec() {
        return base.spec();
    }

    @Override
    public Fingerprint fingerprint() {
        return base.fingerprint();
    }

    @Override
    public Backend backend() {
        return base.backend();
    }

    @Override
    public DType dtype() {
        return base.dtype();
    }

    @Override
    public boolean isExact() {
        return backend() == TestBackends.EXACT;
    }

    @Override
    public Optional<HostTensor> parameter(String parameter) {
        return base.parameter(parameter);
    }

    @Override
    public Weight weight(String parameter) {
        return base.weight(parameter);
    }

    @Override
    public List<Tensor> logits(Run run) {
        Tensor hidden = base.transformer().hiddenStates(run);
        HeadSpec head = spec().head();
        List<Tensor> ofRows = new ArrayList<>();
        if (head == null) {
            Tensor all = base.outputs().logits(run, hidden, run.batch().tokens());
            for (int row = 0; row < run.batch().layout().rows(); row++) {
                ofRows.add(all.slice(
                        0, run.batch().firstToken(row), run.batch().layout().begin(row + 1)));
            }
            return ofRows;
        }
        for (Tensor group : base.outputs().classLogits(run, hidden, head)) {
            for (int row = 0; row < group.shape().dim(0); row++) {
                ofRows.add(group.slice(0, row, row + 1));
            }
        }
        return ofRows;
    }

    @Override
    public Tensor loss(Run run) {
        HeadSpec head = spec().head();
        Objective objective = head == null ? new Objective.NextToken() : new Objective.Classification(head);
        Batch batch = run.batch();
        List<Example> examples = new ArrayList<>();
        for (Row row : batch.rows()) {
            int[] ids = IntStream.range(0, row.length()).map(row::id).toArray();
            examples.add(
                    head == null
                            ? Example.answered(row.example(), row.virtualTokens() > 0 ? 0 : 1, ids)
                            : Example.classified(row.example(), (int) (row.example() % head.classes()), ids));
        }
        return objective
                .loss(base, run, batch.inCallersOrder(examples), Collections.nCopies(examples.size(), 1f))
                .sum();
    }

    @Override
    public ContractModel merged(ResidentAdapter adapter) {
        return new BackboneModel(name + ", merged", base.merged(adapter, spec().head()));
    }

    @Override
    public void close() {
        base.close();
    }

    @Override
    public String toString() {
        return name + (isExact() ? " on the reference" : " on the engine in " + dtype());
    }
}
