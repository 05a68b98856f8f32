// htmx: the last card of each batch asks for the next when it is revealed, and what comes back brings the next such card.
import 'htmx.org';
