package io.peftj.testkit.reference;

import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Matrix;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/** Decompositions by EJML. */
enum EjmlLinearAlgebra implements LinearAlgebra {
    INSTANCE;

    @Override
    public Svd svd(Matrix a) {
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(a.rows(), a.columns(), true, true, true);
        if (!svd.decompose(ejml(a.requireFinite("svd")))) {
            throw new IllegalArgumentException("svd: no decomposition was found of " + a);
        }
        DMatrixRMaj left = svd.getU(null, false);
        DMatrixRMaj right = svd.getV(null, true);
        double[] values = svd.getSingularValues();
        SingularOps_DDRM.descendingOrder(left, false, values, svd.numberOfSingularValues(), right, true);
        return new Svd(matrix(left), Matrix.of(svd.numberOfSingularValues(), 1, values), matrix(right));
    }

    @Override
    public Qr qr(Matrix a) {
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(a.rows(), a.columns());
        if (!qr.decompose(ejml(a.requireFinite("qr")))) {
            throw new IllegalArgumentException("qr: no decomposition was found of " + a);
        }
        return new Qr(matrix(qr.getQ(null, true)), matrix(qr.getR(null, true)));
    }

    private static DMatrixRMaj ejml(Matrix a) {
        return new DMatrixRMaj(a.rows(), a.columns(), true, a.values().clone());
    }

    private static Matrix matrix(DMatrixRMaj a) {
        return Matrix.of(a.getNumRows(), a.getNumCols(), a.getData().clone());
    }
}
