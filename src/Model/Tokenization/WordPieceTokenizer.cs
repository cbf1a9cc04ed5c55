using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Tokenization;

/// <summary>
/// WordPiece (Schuster and Nakajima, 2012; as used by BERT): each word is cut from the left into the longest pieces that the vocabulary
/// has, pieces after the first carrying the prefix <c>##</c>; a word that cannot be cut whole becomes one unknown token.
/// Immutable and safe to use from many threads.
/// </summary>
/// <remarks>
/// Text never yields a special token by spelling one: "[MASK]" in a corpus is three words, as in BERT's published code.
/// <see cref="EncodeWithSpecials"/> is for prompts, where it is meant.
/// </remarks>
public sealed class WordPieceTokenizer : ITokenizer
{
    /// <summary>What pieces after the first of a word begin with.</summary>
    public const string ContinuationPrefix = "##";

    private readonly string[] _tokens;
    private readonly bool[] _isSpecial;
    private readonly List<(string Name, int Id)> _specials = [];
    private readonly PieceTable _first;
    private readonly PieceTable _continuing;

    /// <summary>A tokenizer of the given vocabulary; the place of a token is its id.</summary>
    /// <param name="tokens">Vocabulary; no token twice, none empty, special tokens among them in either spelling.</param>
    /// <param name="settings">What decides encodings besides the vocabulary.</param>
    /// <param name="unknownToken">Name of the unknown token where it is an unusual one.</param>
    /// <param name="specialTokens">Further tokens to treat as special; the usual names always are.</param>
    /// <param name="source">Where the vocabulary comes from, for messages.</param>
    /// <exception cref="RefusedException">A token is empty or stands twice, or a special token is missing.</exception>
    public WordPieceTokenizer(
        IEnumerable<string> tokens,
        TokenizerSettings settings,
        string? unknownToken = null,
        IEnumerable<string>? specialTokens = null,
        string source = "tokenizer")
    {
        Settings = settings;
        _tokens = [.. tokens];
        var ids = new Dictionary<string, int>(_tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < _tokens.Length; id++)
        {
            if (_tokens[id].Length == 0)
            {
                throw new RefusedException($"{source}: entry {id} of the vocabulary is empty; every id needs a token.");
            }

            if (!ids.TryAdd(_tokens[id], id))
            {
                throw new RefusedException($"{source}: '{_tokens[id]}' stands twice in the vocabulary, as entries {ids[_tokens[id]]} and {id}.");
            }
        }

        Special = SpecialNames.Find(ids, unknownToken, source);
        _isSpecial = new bool[_tokens.Length];
        _isSpecial[Special.Unknown] = true;
        foreach (var name in specialTokens ?? [])
        {
            _isSpecial[ids.TryGetValue(name, out var id)
                ? id
                : throw new RefusedException($"{source}: the special token '{name}' is not in the vocabulary.")] = true;
        }

        for (var id = 0; id < _tokens.Length; id++)
        {
            _isSpecial[id] |= SpecialNames.IsRecognised(_tokens[id]);
            if (_isSpecial[id])
            {
                _specials.Add((_tokens[id], id));
            }
        }

        var pieces = ids.Where(pair => !_isSpecial[pair.Value]).ToArray();
        _first = new PieceTable(pieces);
        _continuing = new PieceTable(
            pieces.Where(pair => pair.Key.Length > ContinuationPrefix.Length && pair.Key.StartsWith(ContinuationPrefix, StringComparison.Ordinal))
                .Select(pair => KeyValuePair.Create(pair.Key[ContinuationPrefix.Length..], pair.Value)));
        Hash = ComputeHash();
    }

    /// <inheritdoc/>
    public int VocabularySize => _tokens.Length;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <summary>What decides encodings besides the vocabulary.</summary>
    public TokenizerSettings Settings { get; }

    /// <summary>The vocabulary; the place of a token is its id.</summary>
    public IReadOnlyList<string> Tokens => _tokens;

    /// <summary>Names and ids of all special tokens, by id.</summary>
    public IReadOnlyList<(string Name, int Id)> SpecialIds => _specials;

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        var sink = new PieceSink(this, ids);
        WordSplitter.Split(Settings, text, ref sink);
    }

    /// <summary>As <see cref="Encode"/>, but the name of a special token in the text, such as <c>&lt;mask&gt;</c>, becomes that token.</summary>
    public void EncodeWithSpecials(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            var (position, name, id) = (text.Length, "", -1);
            foreach (var special in _specials)
            {
                var at = text.IndexOf(special.Name, StringComparison.Ordinal);
                if (at >= 0 && (at < position || (at == position && special.Name.Length > name.Length)))
                {
                    (position, name, id) = (at, special.Name, special.Id);
                }
            }

            Encode(text[..position], ids);
            if (id >= 0)
            {
                ids.Add(id);
            }

            text = text[(position + name.Length)..];
        }
    }

    /// <summary>
    /// Text of the ids: pieces joined, a space before each but the first that does not continue a word. A continuing piece at the very
    /// beginning keeps its prefix.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in [0, <see cref="VocabularySize"/>).</exception>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecial = true)
    {
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)_tokens.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"Token ids lie in 0 to {_tokens.Length - 1}.");
            }

            if (skipSpecial && _isSpecial[id])
            {
                continue;
            }

            var token = _tokens[id];
            if (text.Length == 0)
            {
                text.Append(token);
            }
            else if (token.StartsWith(ContinuationPrefix, StringComparison.Ordinal))
            {
                text.Append(token.AsSpan(ContinuationPrefix.Length));
            }
            else
            {
                text.Append(' ').Append(token);
            }
        }

        return text.ToString();
    }

    private void AppendWord(ReadOnlySpan<char> word, List<int> ids)
    {
        // One Unicode character is one or two chars.
        if (word.Length > Settings.MaxWordCharacters
            && (word.Length > 2 * Settings.MaxWordCharacters || WordLength.InRunes(word) > Settings.MaxWordCharacters))
        {
            ids.Add(Special.Unknown);
            return;
        }

        var before = ids.Count;
        var table = _first;
        while (!word.IsEmpty)
        {
            var length = table.LongestPrefix(word, out var id);
            if (length == 0)
            {
                ids.RemoveRange(before, ids.Count - before);
                ids.Add(Special.Unknown);
                return;
            }

            ids.Add(id);
            word = word[length..];
            table = _continuing;
        }
    }

    private string ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var normaliser = Settings.Normaliser switch
        {
            NormaliserSettings.None => "none",
            NormaliserSettings.Crammed => "crammed",
            NormaliserSettings.Bert bert => $"bert {bert.CleanText} {bert.HandleChinese} {bert.Lowercase} {bert.StripAccents ?? bert.Lowercase}",
            _ => throw new InvalidOperationException($"No description of {Settings.Normaliser}."),
        };
        Add(string.Create(
            CultureInfo.InvariantCulture,
            $"WordPiece 1\n{normaliser}\n{Settings.PreTokeniser}\n{Settings.MaxWordCharacters}\n{Special.Pad} {Special.Unknown} "
            + $"{Special.Classify} {Special.Separator} {Special.Mask}\n{string.Join(' ', _specials.Select(special => special.Id))}\n"));
        foreach (var token in _tokens)
        {
            Add($"{token}\n");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private readonly struct PieceSink(WordPieceTokenizer tokenizer, List<int> ids) : IWordSink
    {
        public void Word(scoped ReadOnlySpan<char> word) => tokenizer.AppendWord(word, ids);
    }
}
