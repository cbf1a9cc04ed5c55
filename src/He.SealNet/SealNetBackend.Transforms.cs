using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.SealNet;

/// <summary>Linear transforms and sums of rotations by single operations, in the same steps and with the same keys as the engine's.</summary>
public sealed partial class SealNetBackend
{
    public IPayload[] Transform(IReadOnlyList<IPayload> inputs, DiagonalMatrix m, int level, Scale scale)
    {
        var turned = m.Diagonals.Select(d => (d.Column, d.Baby)).Distinct()
            .ToDictionary(step => step, step => Rotated(inputs[step.Column], m.Rotation(step.Baby), level));
        try
        {
            return [.. Enumerable.Range(0, m.Rows).Select(row => Row(m, row, turned, level, scale))];
        }
        finally
        {
            foreach (var rotated in turned.Values)
            {
                rotated.Dispose();
            }
        }
    }

    public IPayload SumAutomorphisms(IPayload a, IReadOnlyList<int> elements, int level)
    {
        IPayload sum = From(a, _ => { });
        foreach (var term in Automorphisms(a, elements, level))
        {
            sum = Plus(sum, term, level);
        }

        return sum;
    }

    /// <summary>Horner's rule over giant steps, from the last to the first.</summary>
    private IPayload Row(DiagonalMatrix m, int row, Dictionary<(int Column, int Baby), IPayload> turned, int level, Scale scale)
    {
        IPayload? sum = null;
        for (var giant = m.GiantStepsOf(row); giant >= 0; giant--)
        {
            if (sum is not null)
            {
                var inner = sum;
                sum = Rotated(inner, m.GiantRotation, level);
                inner.Dispose();
            }

            foreach (var diagonal in m.Diagonals.Where(d => d.Row == row && d.Giant == giant))
            {
                var term = Multiply(turned[(diagonal.Column, diagonal.Baby)], Turned(diagonal.Values, m.GiantRotation * giant), level, scale);
                sum = sum is null ? term : Plus(sum, term, level);
            }
        }

        return sum!;
    }

    private IPayload Rotated(IPayload a, int steps, int level) =>
        Galois.Rotation(Parameters, steps) is var element and not 1 ? Automorphisms(a, [element], level)[0] : From(a, _ => { });

    /// <summary>Both are used up.</summary>
    private IPayload Plus(IPayload sum, IPayload term, int level)
    {
        using (sum)
        using (term)
        {
            return Add(sum, term, level);
        }
    }

    /// <summary>Slots to the right.</summary>
    private static PlainVector Turned(PlainVector m, int steps) =>
        new([.. Enumerable.Range(0, m.Values.Count).Select(k => m.Values[(k - steps) & (m.Values.Count - 1)])]);
}
