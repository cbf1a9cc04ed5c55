using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.He.Scheme;

/// <summary>Linear transforms and sums of rotations.</summary>
public sealed partial class Evaluator
{
    /// <summary>Σ_d m_d ⊙ rot(a, d), diagonals encoded at the scale that lands on the canonical one of the level below after a rescale.</summary>
    /// <inheritdoc cref="Transform(Ciphertext, DiagonalMatrix, Scale)"/>
    public Ciphertext Transform(Ciphertext a, DiagonalMatrix m) => Transform(a, m, Landing(a));

    /// <summary>Σ_d m_d ⊙ rot(a, d); the scales multiply, and the rescale is left to the caller, who may add before.</summary>
    /// <exception cref="MisuseException">The ciphertext has three parts, or the matrix does not fit the slots.</exception>
    /// <exception cref="MissingKeyException">A key of <see cref="DiagonalMatrix.Requests"/> is missing.</exception>
    public Ciphertext Transform(Ciphertext a, DiagonalMatrix m, Scale scale)
    {
        Own(a);
        TwoParts("transform", a);
        m.Check(_parameters);
        if (m is { First: 0, Last: 0 })
        {
            return Multiply(a, m.Diagonals[0].Values, scale);
        }

        var moving = m.Babies.Where(baby => m.Rotation(baby) % _parameters.Slots != 0).ToHashSet();
        NoteTransform(m, moving.Count, a.Level);
        var (kept, added) = TransformNoise(a, m, scale, moving);
        return Disturbed(backend.Transform(a.Payload, m, a.Level, scale), a.Level, a.Scale * scale, kept, added, a.Magnitude * m.Magnitude);
    }

    /// <summary>a + Σ rot(a, steps): several rotations divided by P once.</summary>
    /// <exception cref="MisuseException">The ciphertext has three parts.</exception>
    /// <exception cref="MissingKeyException">No key for one of them up to this level.</exception>
    public Ciphertext SumRotations(Ciphertext a, IReadOnlyList<int> steps)
    {
        Own(a);
        TwoParts("rotate", a);
        int[] elements = [.. steps.Select(step => Galois.Rotation(_parameters, step))];
        if (elements.Length < 2 || elements.Contains(1))
        {
            return SumOneByOne(a, steps);
        }

        Ledger.Note(Operation.Raise, a.Level);
        Note(Operation.RotateUndivided, elements.Length, a.Level);
        Note(Operation.DivideSpecial, 2, a.Level);
        Array.ForEach(elements, element => Ledger.NoteKey(element, a.Level));
        var terms = elements.Length + 1;
        var added = (elements.Length * NoiseModel.KeyProducts(_parameters, a.Level)) + NoiseModel.Division(_parameters);
        return Disturbed(backend.SumAutomorphisms(a.Payload, elements, a.Level), a.Level, a.Scale, a.NoiseVariance * terms, added, a.Magnitude * terms);
    }

    private Ciphertext SumOneByOne(Ciphertext a, IReadOnlyList<int> steps)
    {
        var sum = DropTo(a, a.Level);
        foreach (var step in steps)
        {
            using var before = sum;
            using var rotated = Rotate(a, step);
            sum = Add(before, rotated);
        }

        return sum;
    }

    private void NoteTransform(DiagonalMatrix m, int moving, int level)
    {
        Note(Operation.Raise, (moving > 0 ? 1 : 0) + m.GiantSteps - 1, level);
        Note(Operation.RotateUndivided, moving + m.GiantSteps - 1, level);
        Note(Operation.MultiplyPlainUndivided, m.Diagonals.Count, level);
        Note(Operation.DivideSpecial, m.GiantSteps + 1, level);
        foreach (var element in m.Elements(_parameters))
        {
            Ledger.NoteKey(element, level);
        }
    }

    /// <summary>What of the ciphertext's own noise comes through, and what comes anew: rounded diagonals, keys of baby and giant steps, divisions.</summary>
    private (double Kept, double Added) TransformNoise(Ciphertext a, DiagonalMatrix m, Scale scale, HashSet<int> moving)
    {
        var (products, square) = (NoiseModel.KeyProducts(_parameters, a.Level), scale.High * scale.High);
        var kept = a.NoiseVariance * square * m.Diagonals.Sum(d => d.Power);
        var keys = products * square * m.Diagonals.Where(d => moving.Contains(d.Baby)).Sum(d => d.Power);
        var rounding = m.Diagonals.Count * NoiseModel.Product(a.NoiseVariance, a.Magnitude * a.Scale.High, NoiseModel.Rounding, 0, _parameters.Degree);
        var divisions = NoiseModel.Division(_parameters);
        return (kept, keys + rounding + ((m.GiantSteps - 1) * (products + divisions)) + divisions);
    }

    private void NoteRotations(int[] elements, int level)
    {
        Note(Operation.Raise, elements.Length > 1 ? 1 : 0, level);
        Note(elements.Length > 1 ? Operation.RotateRaised : Operation.Rotate, elements.Length, level);
        Array.ForEach(elements, element => Ledger.NoteKey(element, level));
    }

    private void Note(Operation operation, int times, int level)
    {
        for (var i = 0; i < times; i++)
        {
            Ledger.Note(operation, level);
        }
    }
}
