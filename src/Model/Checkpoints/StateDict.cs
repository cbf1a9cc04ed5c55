using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>Weights of models in files with the names of published crammed-BERT checkpoints.</summary>
public static class StateDict
{
    /// <summary>Name of the weights in a model folder.</summary>
    public const string WeightsFile = "model.safetensors";

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>
    /// Loads units from a file that holds a whole model; the units may be any part of it, e.g. those of one stage. Prefixes
    /// <c>module.</c> and <c>_orig_mod.</c> are removed, fused and separate projections are converted to what the configuration
    /// wants, a token table that is there only as <c>decoder.weight</c> is taken from there, and saved constants
    /// (<c>norm_factor</c>, the position table) are passed over. Nothing is changed unless the whole file fits.
    /// </summary>
    /// <param name="config">Shape of the model that the units belong to.</param>
    /// <param name="units">Units to fill, what they learn and what is frozen. A head that has a decoder gets that filled too.</param>
    /// <param name="path">A safetensors file.</param>
    /// <param name="ignorePooler">Pass over <c>pooler.</c>, <c>head.</c> and LoRA tensors instead of refusing them.</param>
    /// <exception cref="RefusedException">Not a valid file, or tensors are missing, unexpected or of the wrong shape; all are named.</exception>
    public static void LoadInto(BertConfig config, IEnumerable<ModelUnit> units, string path, bool ignorePooler = false)
    {
        var file = ModelWeights.Open(path, config, ignorePooler);
        foreach (var unit in units)
        {
            foreach (var parameter in unit.Parameters.Concat(unit.Frozen))
            {
                file.LoadInto(parameter.Name, parameter.Value);
            }

            if (unit is MlmHeadUnit { HasDecoder: true } head)
            {
                file.LoadInto(ParameterNames.WordEmbedding, head.Decoder);
            }
        }
    }

    /// <summary>Writes <c>model.safetensors</c> (with the table again as <c>decoder.weight</c>) and <c>model_config.json</c>.</summary>
    /// <exception cref="ArgumentException">The parameters are not those of the configuration.</exception>
    public static void SaveModel(string folder, BertConfig config, IEnumerable<NamedParameter> parameters)
    {
        var tensors = parameters.Select(parameter => (parameter.Name, parameter.Value)).ToList();
        RequireComplete(config, tensors.ToDictionary(t => t.Name, t => (IReadOnlyList<long>)t.Value.shape));
        var table = tensors.First(t => t.Name == ParameterNames.WordEmbedding).Value;
        Directory.CreateDirectory(folder);
        SafeTensors.Write(Path.Combine(folder, WeightsFile), [.. tensors, (ParameterNames.Decoder, table)], Metadata);
        ModelConfigFile.Save(Path.Combine(folder, ModelConfigFile.FileName), config);
    }

    /// <summary>
    /// The same from files of single units (see <see cref="UnitStateFile"/>), byte by byte and with equal result: no process has to
    /// hold the whole model. Tensors in the files beyond the learned ones are left out.
    /// </summary>
    /// <exception cref="RefusedException">A file is not valid, or a learned tensor is in none or in several of them.</exception>
    public static void AssembleModel(string folder, BertConfig config, IEnumerable<string> unitFiles)
    {
        var wanted = StateDictLayout.Of(config).ToDictionary(t => t.Name, t => t.Shape, StringComparer.Ordinal);
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in unitFiles)
        {
            foreach (var entry in SafeTensorsHeader.Read(file).Entries.Where(entry => wanted.ContainsKey(entry.Name)))
            {
                if (!entry.Shape.SequenceEqual(wanted[entry.Name]))
                {
                    throw new RefusedException($"{file}: tensor {entry.Name} should have shape [{string.Join(", ", wanted[entry.Name])}], found {entry.ShapeText}.");
                }

                if (!sources.TryAdd(entry.Name, file))
                {
                    throw new RefusedException($"{file}: tensor {entry.Name} is also in {sources[entry.Name]}; every tensor belongs to one unit.");
                }
            }
        }

        var missing = wanted.Keys.Where(name => !sources.ContainsKey(name)).ToList();
        if (missing.Count > 0)
        {
            throw new RefusedException($"Cannot put {folder} together: {string.Join(", ", missing)} in none of {sources.Values.Distinct().Count()} unit files.");
        }

        Directory.CreateDirectory(folder);
        SafeTensors.Merge(
            Path.Combine(folder, WeightsFile),
            [
                .. sources.Select(pair => (pair.Key, pair.Value, pair.Key)),
                (ParameterNames.Decoder, sources[ParameterNames.WordEmbedding], ParameterNames.WordEmbedding),
            ],
            Metadata);
        ModelConfigFile.Save(Path.Combine(folder, ModelConfigFile.FileName), config);
    }

    private static void RequireComplete(BertConfig config, Dictionary<string, IReadOnlyList<long>> shapes)
    {
        var expected = StateDictLayout.Of(config).ToList();
        var wrong = expected.Where(t => !shapes.TryGetValue(t.Name, out var shape) || !shape.SequenceEqual(t.Shape)).Select(t => t.Name)
            .Concat(shapes.Keys.Except(expected.Select(t => t.Name)))
            .ToList();
        if (wrong.Count > 0)
        {
            throw new ArgumentException($"The parameters are not those of the configuration: {string.Join(", ", wrong)}.");
        }
    }
}
