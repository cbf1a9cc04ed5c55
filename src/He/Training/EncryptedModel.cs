using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;

namespace ActorTrainer.He.Training;

/// <summary>A micro-batch as the owner encrypts it; owned by whoever holds it.</summary>
/// <param name="Input">Embedded tokens.</param>
/// <param name="Mask">See <see cref="GaussianAttention"/>.</param>
/// <param name="Targets">See <see cref="EncryptedHeadUnit.Backward"/>.</param>
public sealed record EncryptedBatch(Activation Input, IReadOnlyList<Ciphertext> Mask, IReadOnlyList<Ciphertext> Targets) : IDisposable
{
    public void Dispose()
    {
        Input.Dispose();
        foreach (var ciphertext in Mask.Concat(Targets))
        {
            ciphertext.Dispose();
        }
    }
}

/// <summary>All units one after the other, as a pipeline computes them: for plans, for the twin, and for tests of stages.</summary>
/// <param name="layers">At least one, in order.</param>
/// <param name="head">Behind them.</param>
public sealed class EncryptedModel(IReadOnlyList<EncryptedLayerUnit> layers, EncryptedHeadUnit head) : IDisposable
{
    public IReadOnlyList<EncryptedUnit> Units => [.. layers, head];

    /// <summary>Of all units; see <see cref="EncryptedUnit.Ranges"/>.</summary>
    public IEnumerable<SiteRange> Ranges => Units.SelectMany(unit => unit.Ranges);

    /// <summary>One training step over micro-batches.</summary>
    /// <param name="scale">Factor of the loss: 1 / examples of the step.</param>
    /// <param name="look">Shown the outputs of each micro-batch.</param>
    public void Step(TensorMath math, IEnumerable<EncryptedBatch> batches, double scale, double learningRate, Action<IReadOnlyList<Ciphertext>>? look = null)
    {
        foreach (var unit in Units)
        {
            unit.Begin();
        }

        foreach (var batch in batches)
        {
            Differentiate(math, batch, scale, look);
        }

        foreach (var unit in Units)
        {
            unit.Update(math, learningRate);
        }
    }

    /// <summary>Outputs of a micro-batch.</summary>
    public Ciphertext[] Outputs(TensorMath math, EncryptedBatch batch)
    {
        var x = batch.Input;
        foreach (var layer in layers)
        {
            var (output, tape) = layer.Forward(math, x, batch.Mask);
            tape.Dispose();
            if (x != batch.Input)
            {
                x.Dispose();
            }

            x = output;
        }

        using (x)
        {
            var (outputs, last) = head.Forward(math, x);
            last.Dispose();
            return outputs;
        }
    }

    public void Dispose()
    {
        foreach (var unit in Units)
        {
            unit.Dispose();
        }
    }

    private void Differentiate(TensorMath math, EncryptedBatch batch, double scale, Action<IReadOnlyList<Ciphertext>>? look)
    {
        var (x, tapes) = (batch.Input, new List<EncoderLayer.Tape>());
        foreach (var layer in layers)
        {
            var (output, tape) = layer.Forward(math, x, batch.Mask);
            tapes.Add(tape);
            if (x != batch.Input)
            {
                x.Dispose();
            }

            x = output;
        }

        Activation? gradient;
        using (x)
        {
            var (outputs, last) = head.Forward(math, x);
            using (last)
            {
                look?.Invoke(outputs);
                gradient = head.Backward(math, last, outputs, batch.Targets, scale);
                Array.ForEach(outputs, output => output.Dispose());
            }
        }

        for (var i = layers.Count - 1; i >= 0; i--)
        {
            using var tape = tapes[i];
            using var above = gradient;
            gradient = layers[i].Backward(math, tape, above!, wantsInput: i > 0);
        }
    }
}
