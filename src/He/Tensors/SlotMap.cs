namespace ActorTrainer.He.Tensors;

/// <summary>
/// A linear map of slots by its diagonals, before it is encoded: y[j] = Σ_shift factor_shift[j]·x[(j + shift) mod slots]. Made from a description of each entry.
/// </summary>
public sealed class SlotMap(int slots)
{
    private readonly SortedDictionary<int, double[]> _diagonals = [];

    public int Slots => slots;

    /// <summary>Shift to the left, in [0, slots) → factors by the slot of the result.</summary>
    public IReadOnlyDictionary<int, double[]> Diagonals => _diagonals;

    /// <summary>y[to] += factor·x[from].</summary>
    public void Add(int to, int from, double factor)
    {
        if (factor == 0)
        {
            return;
        }

        var shift = (from - to + slots) % slots;
        if (!_diagonals.TryGetValue(shift, out var factors))
        {
            _diagonals.Add(shift, factors = new double[slots]);
        }

        factors[to] += factor;
    }

    /// <summary>On plain numbers.</summary>
    public double[] Apply(IReadOnlyList<double> x)
    {
        var result = new double[slots];
        foreach (var (shift, factors) in _diagonals)
        {
            for (var j = 0; j < slots; j++)
            {
                result[j] += factors[j] * x[(j + shift) % slots];
            }
        }

        return result;
    }
}
