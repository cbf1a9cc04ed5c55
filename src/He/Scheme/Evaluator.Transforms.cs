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
    /// <exception cref="MisuseException">The ciphertext has three parts, or the matrix does not fit the slots or has several inputs or results.</exception>
    /// <exception cref="MissingKeyException">A key of <see cref="DiagonalMatrix.Requests"/> is missing.</exception>
    public Ciphertext Transform(Ciphertext a, DiagonalMatrix m, Scale scale)
    {
        if ((m.Rows, m.Columns) != (1, 1))
        {
            throw new MisuseException($"A linear transform of {m.Columns} inputs to {m.Rows} results was given one. Give it as many as it has columns.");
        }

        return m is { First: 0, Last: 0 } ? Multiply(a, m.Diagonals[0].Values, scale) : Transform([a], m, scale)[0];
    }

    /// <summary>Every row of <paramref name="m"/> as a result, at the scale that lands on the canonical one of the level below after a rescale.</summary>
    /// <inheritdoc cref="Transform(IReadOnlyList{Ciphertext}, DiagonalMatrix, Scale)"/>
    public Ciphertext[] Transform(IReadOnlyList<Ciphertext> inputs, DiagonalMatrix m) => Transform(inputs, m, Landing(inputs[0]));

    /// <summary>Every row of <paramref name="m"/> as a result: the sum over inputs of Σ_d m_d ⊙ rot(a, d).</summary>
    /// <exception cref="MisuseException">Inputs are not as many as columns, or of different levels or scales or of three parts, or the matrix does not fit the slots.</exception>
    /// <exception cref="MissingKeyException">A key of <see cref="DiagonalMatrix.Requests"/> is missing.</exception>
    public Ciphertext[] Transform(IReadOnlyList<Ciphertext> inputs, DiagonalMatrix m, Scale scale)
    {
        if (inputs.Count != m.Columns)
        {
            throw new MisuseException($"A linear transform of {m.Columns} inputs was given {inputs.Count}.");
        }

        var a = inputs[0];
        foreach (var input in inputs)
        {
            Own(input);
            TwoParts("transform", input);
            if (input.Level != a.Level || !input.Scale.Matches(a.Scale))
            {
                throw new MisuseException($"Cannot transform {a} together with {input}: expected one level and one scale. Align them first.");
            }
        }

        m.Check(_parameters);
        NoteTransform(m, a.Level);
        var payloads = backend.Transform([.. inputs.Select(input => input.Payload)], m, a.Level, scale);
        return [.. payloads.Select((payload, row) => Transformed(payload, inputs, m, row, scale))];
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

    private void NoteTransform(DiagonalMatrix m, int level)
    {
        var moving = Enumerable.Range(0, m.Columns).Select(column => m.Steps(column).Count(step => Moves(m, step.Baby))).ToArray();
        var giants = Enumerable.Range(0, m.Rows).Sum(m.GiantStepsOf);
        if (m.DividesFirst(_parameters, level))
        {
            Note(Operation.Raise, moving.Count(count => count > 0), level);
            Note(Operation.RotateRaised, moving.Sum(), level);
            Note(Operation.MultiplyDiagonal, m.Diagonals.Count, level);
            Note(Operation.Rotate, giants, level);
        }
        else
        {
            Note(Operation.Raise, moving.Count(count => count > 0) + giants, level);
            Note(Operation.RotateUndivided, moving.Sum() + giants, level);
            Note(Operation.MultiplyPlainUndivided, m.Diagonals.Count, level);
            Note(Operation.DivideSpecial, giants + (2 * m.Rows), level);
        }

        foreach (var element in m.Elements(_parameters))
        {
            Ledger.NoteKey(element, level);
        }
    }

    private bool Moves(DiagonalMatrix m, int baby) => m.Rotation(baby) % _parameters.Slots != 0;

    /// <summary>What of the ciphertexts' own noise comes through, and what comes anew: rounded diagonals, keys of baby and giant steps, divisions.</summary>
    private Ciphertext Transformed(IPayload payload, IReadOnlyList<Ciphertext> inputs, DiagonalMatrix m, int row, Scale scale)
    {
        var (a, products, square) = (inputs[0], NoiseModel.KeyProducts(_parameters, inputs[0].Level), scale.High * scale.High);
        var diagonals = m.Diagonals.Where(d => d.Row == row).ToArray();
        var kept = square * diagonals.Sum(d => inputs[d.Column].NoiseVariance * d.Power);
        var moving = diagonals.Where(d => Moves(m, d.Baby)).Sum(d => d.Power);
        var rounding = diagonals.Sum(d => NoiseModel.Product(inputs[d.Column].NoiseVariance, inputs[d.Column].Magnitude * a.Scale.High, NoiseModel.Rounding, 0, _parameters.Degree));
        var division = NoiseModel.Division(_parameters);
        var giants = m.GiantStepsOf(row) * (products + division);
        var divided = m.DividesFirst(_parameters, a.Level) ? division * square * moving : division;
        return Disturbed(payload, a.Level, a.Scale * scale, kept, (products * square * moving) + rounding + giants + divided, inputs.Max(input => input.Magnitude) * m.Magnitude);
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
