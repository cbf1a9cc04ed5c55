using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Planning;

/// <summary>
/// Costs by the number of transforms and products of limbs that operations consist of, the same on every machine: for decisions that all have to come to alike. Their ratios are those that were
/// measured at N = 2^16, and a limb's transform there, 0.65 ms on one core, is the unit.
/// </summary>
public static class NominalCosts
{
    private const double Transform = 0.65e-3 / (1 << 16);

    /// <summary>A limb of a digit: from the digit's limbs, and transformed.</summary>
    private const double Raised = 1.6;

    /// <summary>A limb of a digit times both parts of a key.</summary>
    private const double KeyProduct = 0.3;

    private const double Permuted = 0.2;

    /// <summary>A limb of a plain vector, encoded.</summary>
    private const double Encoded = 1.3;

    /// <summary>A limb of an encoded vector times a rotation's.</summary>
    private const double Diagonal = 0.3;

    /// <summary>Of one thread, in seconds.</summary>
    public static OperationCosts Of(CkksParameters parameters)
    {
        int[] levels = [.. Enumerable.Range(0, parameters.MaxLevel + 1)];
        IReadOnlyList<double> Row(Func<Sizes, double> units) => [.. levels.Select(level => Transform * parameters.Degree * units(Sizes.At(parameters, level)))];
        return new OperationCosts
        {
            Set = parameters.Name,
            Parallelism = 1,
            Levels = levels,
            Measured = Enum.GetValues<Operation>().ToDictionary(operation => operation, operation => Row(Units(operation, parameters))),
            Held = new Dictionary<Operation, IReadOnlyList<double>>
            {
                [Operation.MultiplyDiagonal] = Row(at => Diagonal * at.Limbs),
                [Operation.MultiplyPlainUndivided] = Row(at => Diagonal * at.All),
            },
        };
    }

    private static Func<Sizes, double> Units(Operation operation, CkksParameters parameters) => operation switch
    {
        Operation.Add => at => 0.25 * at.Limbs,
        Operation.AddPlain => at => (Encoded + 0.1) * at.Limbs,
        Operation.MultiplyPlain => at => (Encoded + 0.2) * at.Limbs,
        Operation.MultiplyConstant => at => 0.2 * at.Limbs,
        Operation.Multiply => at => 0.5 * at.Limbs,
        Operation.Relinearise or Operation.Rotate => at => at.Raise + at.KeyProducts + (2 * at.Divide),
        Operation.Rescale => at => 2.2 * at.Limbs,
        Operation.Raise => at => at.Raise,
        Operation.RotateRaised => at => at.KeyProducts + (2 * at.Divide),
        Operation.RotateUndivided => at => at.KeyProducts + (Permuted * at.All),
        Operation.MultiplyDiagonal => at => (Encoded + Diagonal) * at.Limbs,
        Operation.MultiplyPlainUndivided => at => (Encoded + Diagonal) * at.All,
        Operation.DivideSpecial => at => at.Divide,
        Operation.RaiseModulus => _ => 2 * Sizes.At(parameters, parameters.MaxLevel).Raise / parameters.DigitCount(parameters.MaxLevel),
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "This operation has no nominal cost."),
    };

    /// <param name="Limbs">Of one part.</param>
    /// <param name="Special">Limbs of P.</param>
    /// <param name="Digits">Of key switching.</param>
    private readonly record struct Sizes(int Limbs, int Special, int Digits)
    {
        public int All => Limbs + Special;

        public double Raise => Raised * Digits * All;

        public double KeyProducts => KeyProduct * Digits * All;

        public double Divide => (1.2 * Limbs) + Special;

        public static Sizes At(CkksParameters parameters, int level) => new(level + 1, parameters.Special.Count, parameters.DigitCount(level));
    }
}
