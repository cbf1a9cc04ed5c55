namespace ActorTrainer.He.Approximation;

/// <summary>Small dense linear systems.</summary>
internal static class LinearSystem
{
    /// <summary>Gaussian elimination with row pivoting; each row carries its right-hand side last, and is overwritten.</summary>
    /// <exception cref="FitException">The system is singular or not finite.</exception>
    public static double[] Solve(double[][] rows)
    {
        var size = rows.Length;
        for (var column = 0; column < size; column++)
        {
            var pivot = column;
            for (var i = column + 1; i < size; i++)
            {
                pivot = Math.Abs(rows[i][column]) > Math.Abs(rows[pivot][column]) ? i : pivot;
            }

            (rows[column], rows[pivot]) = (rows[pivot], rows[column]);
            var leader = rows[column];
            if (!double.IsFinite(leader[column]) || leader[column] == 0)
            {
                throw new FitException("The points of the exchange do not determine a polynomial: the function or its weight is not finite, "
                    + "or the domain is too narrow for doubles.");
            }

            for (var i = column + 1; i < size; i++)
            {
                var ratio = rows[i][column] / leader[column];
                for (var k = column; k <= size && ratio != 0; k++)
                {
                    rows[i][k] -= ratio * leader[k];
                }
            }
        }

        var solution = new double[size];
        for (var i = size - 1; i >= 0; i--)
        {
            var sum = rows[i][size];
            for (var k = i + 1; k < size; k++)
            {
                sum -= rows[i][k] * solution[k];
            }

            solution[i] = sum / rows[i][i];
        }

        return solution;
    }
}
