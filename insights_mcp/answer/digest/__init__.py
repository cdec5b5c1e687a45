"""What a result says, computed: short lines of facts for each kind of result, most telling first."""
