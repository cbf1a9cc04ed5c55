namespace ActorTrainer.Model.Tokenization;

/// <summary>Vocabulary entries that may stand at one kind of place in a word, searched by the text of the word itself.</summary>
internal sealed class PieceTable
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly int _longest;

    public PieceTable(IEnumerable<KeyValuePair<string, int>> pieces)
    {
        _ids = new Dictionary<string, int>(pieces, StringComparer.Ordinal);
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _longest = _ids.Count == 0 ? 0 : _ids.Keys.Max(piece => piece.Length);
    }

    /// <summary>Characters of the longest entry that <paramref name="word"/> begins with, 0 when there is none.</summary>
    public int LongestPrefix(ReadOnlySpan<char> word, out int id)
    {
        for (var length = Math.Min(word.Length, _longest); length > 0; length--)
        {
            if (_lookup.TryGetValue(word[..length], out id))
            {
                return length;
            }
        }

        id = -1;
        return 0;
    }
}
