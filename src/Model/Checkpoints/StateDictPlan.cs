using System.Text.RegularExpressions;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>How one learned tensor comes out of a file.</summary>
internal abstract record TensorSource
{
    /// <summary>The tensor <paramref name="Key"/> as it is.</summary>
    public sealed record Direct(string Key) : TensorSource;

    /// <summary>Query, key and value interleaved into one.</summary>
    public sealed record Fused(string Query, string Key, string Value) : TensorSource;

    /// <summary>Part 0 (query), 1 (key) or 2 (value) of an interleaved matrix.</summary>
    public sealed record Part(string FusedKey, int Index) : TensorSource;
}

/// <summary>
/// Decides, from a configuration and a file's header alone, where each learned tensor comes from. Anything that does not
/// fit exactly is refused, all of it named at once.
/// </summary>
internal sealed partial class StateDictPlan
{
    private const int LongestList = 20;
    private static readonly string[] Wrappers = ["module.", "_orig_mod."];
    private static readonly string[] Separate = [ParameterNames.QueryProjection, ParameterNames.KeyProjection, ParameterNames.ValueProjection];

    private readonly BertConfig _config;
    private readonly Dictionary<string, SafeTensorsEntry> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorSource> _sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private readonly List<string> _misshaped = [];

    private StateDictPlan(BertConfig config) => _config = config;

    /// <summary>The source of each learned tensor, by its name in <see cref="StateDictLayout"/>.</summary>
    public IReadOnlyDictionary<string, TensorSource> Sources => _sources;

    /// <summary>Keys in the file of the pooler's, the head's and the adapters' tensors, by name without prefixes.</summary>
    public IReadOnlyDictionary<string, string> FineTuned => _found.Where(pair => IsFineTuned(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value.Name);

    /// <summary>The file's keys of token table and decoder when it has both: they must be equal.</summary>
    public (string Table, string Decoder)? Tied { get; private set; }

    /// <summary>Makes the plan.</summary>
    /// <param name="decoderOptional">Whether the table may be there without its duplicate, as in fine-tuned models.</param>
    /// <exception cref="RefusedException">Names missing, unexpected and wrongly shaped tensors.</exception>
    public static StateDictPlan Make(BertConfig config, SafeTensorsHeader header, bool ignorePooler, bool decoderOptional = false)
    {
        var plan = new StateDictPlan(config);
        foreach (var entry in header.Entries)
        {
            var name = Strip(entry.Name);
            if (!plan._found.TryAdd(name, entry))
            {
                throw new RefusedException($"{header.Path}: {entry.Name} and {plan._found[name].Name} are both {name} once wrapper prefixes are removed.");
            }
        }

        foreach (var (name, shape) in StateDictLayout.Of(config))
        {
            plan.Resolve(name, shape);
        }

        plan.ResolveDecoder(decoderOptional);
        plan.Refuse(header.Path, ignorePooler);
        return plan;
    }

    /// <summary>The name without prefixes that data-parallel and compiled modules put before it.</summary>
    private static string Strip(string name)
    {
        while (Array.Find(Wrappers, prefix => name.StartsWith(prefix, StringComparison.Ordinal)) is { } wrapper)
        {
            name = name[wrapper.Length..];
        }

        return name;
    }

    private void Resolve(string name, long[] shape)
    {
        if (name == ParameterNames.WordEmbedding && !_found.ContainsKey(name) && _found.ContainsKey(ParameterNames.Decoder))
        {
            // Writers that drop duplicates may keep the table under the decoder's name only.
            _sources[name] = new TensorSource.Direct(Take(ParameterNames.Decoder, shape)!);
            return;
        }

        if (!_found.ContainsKey(name) && Converted(name) is { } converted)
        {
            _sources[name] = converted;
        }
        else if (Take(name, shape) is { } key)
        {
            _sources[name] = new TensorSource.Direct(key);
        }
    }

    /// <summary>The projection in the other of its two layouts, when the file has that one.</summary>
    private TensorSource? Converted(string name)
    {
        long hidden = _config.Hidden;
        if (name.EndsWith(ParameterNames.FusedProjection, StringComparison.Ordinal))
        {
            var prefix = name[..^ParameterNames.FusedProjection.Length];
            if (Separate.Any(rest => _found.ContainsKey(prefix + rest)))
            {
                var keys = Separate.Select(rest => Take(prefix + rest, [hidden, hidden])).ToList();
                return new TensorSource.Fused(keys[0] ?? "", keys[1] ?? "", keys[2] ?? "");
            }
        }

        var part = Array.FindIndex(Separate, rest => name.EndsWith(rest, StringComparison.Ordinal));
        if (part >= 0)
        {
            var fused = name[..^Separate[part].Length] + ParameterNames.FusedProjection;
            if (_found.ContainsKey(fused))
            {
                // All three parts read the same matrix; complain about it once.
                var key = part == 0 ? Take(fused, [3 * hidden, hidden]) : _found[fused].Name;
                return new TensorSource.Part(key ?? "", part);
            }
        }

        return null;
    }

    private void ResolveDecoder(bool optional)
    {
        if (_used.Contains(ParameterNames.Decoder) || (optional && !_found.ContainsKey(ParameterNames.Decoder)))
        {
            return;
        }

        var key = Take(ParameterNames.Decoder, [_config.Vocabulary, _config.Hidden]);
        if (key is not null && _sources.GetValueOrDefault(ParameterNames.WordEmbedding) is TensorSource.Direct table)
        {
            Tied = (table.Key, key);
        }
    }

    /// <summary>Marks a tensor as used and gives its key in the file; null when it is missing or has another shape or no floating type.</summary>
    private string? Take(string name, long[] shape)
    {
        if (!_found.TryGetValue(name, out var entry))
        {
            _missing.Add(name);
            return null;
        }

        _used.Add(name);
        if (!entry.Shape.SequenceEqual(shape))
        {
            _misshaped.Add($"{name} (expected [{string.Join(", ", shape)}], found {entry.ShapeText})");
            return null;
        }

        if (entry.DType is not ("F32" or "F64" or "F16" or "BF16"))
        {
            _misshaped.Add($"{name} (expected a floating type, found {entry.DType})");
            return null;
        }

        return entry.Name;
    }

    private void Refuse(string path, bool ignorePooler)
    {
        var unexpected = _found.Keys.Where(name => !_used.Contains(name) && !IsBuffer(name) && !(ignorePooler && IsFineTuned(name))).ToList();
        var complaints = new List<string>();
        Complain("missing", _missing);
        Complain("unexpected", unexpected);
        Complain("of the wrong shape", _misshaped);
        if (complaints.Count == 0)
        {
            return;
        }

        var hint = unexpected.Any(IsFineTuned) && !ignorePooler ? " Pooler, head and LoRA weights come from fine-tuning and are no part of this model." : "";
        throw new RefusedException(
            $"{path}: does not fit a model of {_config.Layers} layers, hidden {_config.Hidden}, feed-forward {_config.FeedForward}, "
            + $"vocabulary {_config.Vocabulary}. {string.Join("; ", complaints)}.{hint}");

        void Complain(string what, List<string> names)
        {
            if (names.Count > 0)
            {
                var more = names.Count > LongestList ? $" and {names.Count - LongestList} more" : "";
                complaints.Add($"{names.Count} {what}: {string.Join(", ", names.Order(StringComparer.Ordinal).Take(LongestList))}{more}");
            }
        }
    }

    /// <summary>Constants that some versions save: the attention scale and the sin/cos table. Both follow from the configuration.</summary>
    private bool IsBuffer(string name) =>
        name == "encoder.embedding.pos_embedding.pe"
        || (NormFactor().Match(name) is { Success: true } match && int.TryParse(match.Groups[1].ValueSpan, out var layer) && layer < _config.Layers);

    private static bool IsFineTuned(string name) =>
        name.StartsWith("pooler.", StringComparison.Ordinal) || name.StartsWith("head.", StringComparison.Ordinal)
        || name.Contains("lora_", StringComparison.Ordinal);

    [GeneratedRegex(@"^encoder\.layers\.([0-9]+)\.attn\.self_attention\.norm_factor$")]
    private static partial Regex NormFactor();
}
