using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Evaluation;

/// <summary>What evaluators of one process share; nothing of it changes.</summary>
public sealed record TensorEvaluationSettings
{
    /// <summary>Rows by the names that requests use.</summary>
    public required IReadOnlyDictionary<string, IEncodedRows> Splits { get; init; }

    /// <summary>Objects of checkpoints; null: models come from folders only.</summary>
    public IObjectStore? Store { get; init; }

    /// <summary>Makes the units of a model folder, in order: embedding, layers, head; null: models come from the store only.</summary>
    public Func<string, IReadOnlyList<ModelUnit>>? Folder { get; init; }

    /// <summary>Intra-op threads of each evaluator.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>What stands in for functions that are no polynomials, null: the exact ones.</summary>
    public IPointFunctions? Functions { get; init; }
}

/// <summary>The plaintext evaluation of a fine-tuned model: no dropout, no gradients.</summary>
public sealed class TensorEvaluation(TensorEvaluationSettings settings) : IEvaluationComputation
{
    private TensorEvaluationRecipe _recipe = new();
    private string _built = "";
    private EvaluatedUnits? _units;

    private Device Device => _recipe.Cuda ? CUDA : CPU;

    /// <inheritdoc/>
    /// <exception cref="RefusedException">The model is not there, is damaged, or does not fit its recipe.</exception>
    public void Load(EvaluationModel model)
    {
        TorchThreads.Use(settings.Threads);
        if (_units is null || model.Folder.Length > 0 || _built != model.Recipe)
        {
            Release();
            _recipe = model.Recipe.Length > 0 ? TensorEvaluationRecipe.Parse(model.Recipe) : new TensorEvaluationRecipe();
            _units = Build(model.Folder);
            _built = model.Folder.Length > 0 ? "" : model.Recipe;
        }

        if (model.Folder.Length > 0)
        {
            return;
        }

        try
        {
            _units.Load(model.Objects, settings.Store ?? throw new InvalidOperationException("There is no store to read a checkpoint's units from."));
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="RefusedException">There is no such split, or it is not one for this model.</exception>
    public float[] Compute(string split, int first, int rows, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var units = _units ?? throw new InvalidOperationException("No model was loaded.");
        if (!settings.Splits.TryGetValue(split, out var source))
        {
            throw new RefusedException($"There is no split '{split}' here; there are {string.Join(", ", settings.Splits.Keys)}.");
        }

        if (first < 0 || rows < 0 || first > source.Count - rows)
        {
            throw new RefusedException($"Split '{split}' has {source.Count} rows here, but {rows} from {first} on were asked for: the data differs.");
        }

        if (_recipe.Arch is { } arch && source.Sequence > arch.Sequence)
        {
            throw new RefusedException($"Split '{split}' has rows of up to {source.Sequence} tokens, but the model takes {arch.Sequence} at most.");
        }

        var width = source.Task.Outputs;
        var outputs = new float[rows * width];
        foreach (var chosen in Order(source, first, rows).Chunk(batch))
        {
            var values = Logits(units, source, chosen, split, width);
            for (var i = 0; i < chosen.Length; i++)
            {
                values.AsSpan(i * width, width).CopyTo(outputs.AsSpan((chosen[i] - first) * width));
            }
        }

        return outputs;
    }

    /// <inheritdoc/>
    public void Dispose() => Release();

    private EvaluatedUnits Build(string folder)
    {
        if (folder.Length == 0)
        {
            return EvaluatedUnits.Build(
                _recipe.Arch ?? throw new InvalidOperationException("The recipe has no shape of the model."),
                _recipe.Shape ?? throw new InvalidOperationException("The recipe does not say what fine-tuning made of the model."),
                _recipe.BFloat16, Device);
        }

        var make = settings.Folder ?? throw new InvalidOperationException("Models are not read from folders here.");
        return new EvaluatedUnits(make(folder));
    }

    /// <summary>Rows of like length together, where that saves padding.</summary>
    private IEnumerable<int> Order(IEncodedRows source, int first, int rows)
    {
        var order = Enumerable.Range(first, rows);
        return _recipe.Padding == PaddingKind.Longest ? order.OrderBy(source.Length) : order;
    }

    private float[] Logits(EvaluatedUnits units, IEncodedRows source, int[] chosen, string split, int width)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (ids, mask) = PaddedRows.Take(source, chosen, PaddedRows.Width(source, chosen, _recipe.Padding));
        var context = new ForwardContext(Seed: 0, Step: 1, MicroBatch: 0, Training: false, Functions: settings.Functions);
        var logits = units.Logits(ids.to(Device), mask.to(Device), context);
        if (logits.shape[1] != width)
        {
            throw new RefusedException($"The model has {logits.shape[1]} outputs, but task {source.Task.Name} of split '{split}' has {width}: it is of another task.");
        }

        return logits.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }

    private void Release()
    {
        _units?.Dispose();
        _units = null;
        _built = "";
    }
}
